"""The sandbox's process: MiniStack, and beside it Moto, which answers for the services that it knows better.

The environment says what MiniStack reads of it, and MOTO_PORT and MOTO_DATA, the file that Moto's data is in while the
process does not run. Both listen on loopback only.
"""

import copyreg
import json
import logging
import os
import pickle
import sys
import threading
import traceback
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from werkzeug.serving import make_server

from moto.applicationautoscaling import models as scaling
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app


def complete_scaling():
    """Gives Application Auto Scaling what Moto lacks of it: the tags of targets (RegisterScalableTarget, TagResource,
    UntagResource and ListTagsForResource of its API Reference), and targets whose services MiniStack has."""

    backend, response = scaling.ApplicationAutoscalingBackend, ApplicationAutoScalingResponse
    backend._ecs_service_exists_for_target = lambda self, resource_id: True
    register = response.register_scalable_target

    def target(self):
        arn = self._get_param("ResourceARN")
        targets = [of for known in self.applicationautoscaling_backend.targets.values() for of in known.values() if of.arn == arn]
        if not targets:
            raise scaling.AWSValidationException(f"there is no scalable target {arn}")
        return targets[0].__dict__.setdefault("tags", {})

    def register_scalable_target(self):
        answer = register(self)
        known = self.applicationautoscaling_backend.targets[self._get_param("ScalableDimension")][self._get_param("ResourceId")]
        known.__dict__.setdefault("tags", {}).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self):
        return json.dumps({"Tags": target(self)})

    def tag_resource(self):
        target(self).update(self._get_param("Tags") or {})
        return json.dumps({})

    def untag_resource(self):
        tags = target(self)
        for key in self._get_param("TagKeys") or []:
            tags.pop(key, None)
        return json.dumps({})

    for operation in (register_scalable_target, list_tags_for_resource, tag_resource, untag_resource):
        setattr(response, operation.__name__, operation)


def complete_networks():
    """Lets NAT gateways have network interfaces as EC2's have: it says that one is a gateway's (DescribeNetworkInterfaces of the EC2
    API Reference, InterfaceType and RequesterManaged), and gives its address back with the gateway (DeleteNatGateway). Rules
    about other groups keep their descriptions (UserIdGroupPair)."""

    make, forget = NatGateway.__init__, NatGatewayBackend.delete_nat_gateway

    def initialise(self, *arguments, **named):
        make(self, *arguments, **named)
        self._eni.interface_type, self._eni.requester_managed = "nat_gateway", True

    def delete_nat_gateway(self, nat_gateway_id):
        gateway = forget(self, nat_gateway_id)
        for address in [one for one in self.addresses if one.eni is gateway._eni]:
            self.disassociate_address(association_id=address.association_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    NatGateway.__init__, NatGatewayBackend.delete_nat_gateway = initialise, delete_nat_gateway
    SecurityGroupRule.description = property(lambda self: {**self.source_group, **self.ip_range}.get("Description"))


def lend_networks():
    """Lets MiniStack's services, of which some look up subnets and security groups, find Moto's."""

    from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
    from ministack.services import ec2

    class Lent(AccountRegionScopedDict):
        def __init__(self, find):
            super().__init__()
            self.find = find

        def lent(self):
            return self.find(get_backend("ec2")[get_account_id()][get_region()])

        def get(self, key, default=None):
            return self.lent().get(key, default)

        def values(self):
            return self.lent().values()

    def subnet(one):
        blocks = one.ipv6_cidr_block_associations.values()
        return {
            "SubnetId": one.id,
            "VpcId": one.vpc_id,
            "CidrBlock": one.cidr_block,
            "Ipv6CidrBlock": next((block["ipv6CidrBlock"] for block in blocks), None),
            "AvailabilityZone": one.availability_zone,
            "AvailabilityZoneId": ec2._az_id_for_zone_name(one.availability_zone),
        }

    def subnets(moto):
        return {one.id: subnet(one) for zone in moto.subnets.values() for one in zone.values()}

    def groups(moto):
        known = (one for vpc in moto.groups.values() for one in vpc.values())
        return {one.id: {"GroupId": one.id, "GroupName": one.name, "VpcId": one.vpc_id} for one in known}

    ec2._subnets, ec2._security_groups = Lent(subnets), Lent(groups)


def private_key(pem):
    """A key that was kept."""

    return serialization.load_pem_private_key(pem, None)


def public_key(pem):
    """A key that was kept."""

    return serialization.load_pem_public_key(pem)


def certificate(pem):
    """A certificate that was kept."""

    return x509.load_pem_x509_certificate(pem)


def keep_keys():
    """Lets keys and certificates be kept in a file, as PEM."""

    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private, public = serialization.PrivateFormat.PKCS8, serialization.PublicFormat.SubjectPublicKeyInfo
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())):
        copyreg.pickle(type(key), lambda key: (private_key, (key.private_bytes(pem, private, plain),)))
        copyreg.pickle(type(key.public_key()), lambda key: (public_key, (key.public_bytes(pem, public),)))
    copyreg.pickle(x509.Certificate, lambda of: (certificate, (of.public_bytes(pem),)))


def restore(path):
    """Takes what Moto had when the process ended."""

    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        services = pickle.load(file)
    for service, accounts in services.items():
        for account, regions in accounts.items():
            for region, data in regions.items():
                dict.__setitem__(get_backend(service)[account], region, data)


def keep(path):
    """Writes down what Moto has, in one step."""

    services = {
        service.service_name: {account: dict(regions) for account, regions in service.items()} for service in BackendDict._instances
    }
    # What of one service cannot be written down does not take the others with it.
    for service in list(services):
        try:
            pickle.dumps(services[service])
        except Exception:
            traceback.print_exc()
            del services[service]
    with open(path + ".new", "wb") as file:
        pickle.dump(services, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def refusing_unknown(application):
    """Answers what Moto has not as AWS answers an operation that it has not, which is refused once and not tried again."""

    def answer(environ, start_response):
        try:
            return list(application(environ, start_response))
        except NotImplementedError as unknown:
            words = str(unknown) or "the emulator has no such operation"
            if "HTTP_X_AMZ_TARGET" in environ:
                kind, body = "application/x-amz-json-1.1", json.dumps({"__type": "UnknownOperationException", "message": words})
            else:
                error = f"<Error><Code>InvalidAction</Code><Message>{escape(words)}</Message></Error>"
                wrapped = f"<Response><Errors>{error}</Errors></Response>" if "/ec2/" in environ.get("HTTP_AUTHORIZATION", "") else None
                kind, body = "text/xml", wrapped or f"<ErrorResponse>{error}</ErrorResponse>"
            start_response("400 Bad Request", [("Content-Type", kind)], sys.exc_info())
            return [body.encode()]

    return answer


def serve_moto(port):
    """Answers on a port, in threads of its own."""

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = refusing_unknown(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, application, True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    data = os.environ["MOTO_DATA"]
    complete_scaling()
    complete_networks()
    lend_networks()
    keep_keys()
    restore(data)
    server = serve_moto(int(os.environ["MOTO_PORT"]))
    sys.argv = ["ministack"]
    from ministack.app import main as serve_ministack

    try:
        serve_ministack()
    finally:
        server.shutdown()
        keep(data)


main()
