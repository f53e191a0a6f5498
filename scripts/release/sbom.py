"""What is linked into the binary, as CycloneDX 1.6: every crate with its version, licence and hash, and which uses which."""

import json
import re
import uuid

from release import HOMEPAGE, ROOT, run

# What serial numbers are made in: the same contents have the same one.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, HOMEPAGE)


def make(release, given):
    told = json.loads(run(["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", given.target], cwd=ROOT))
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    root = next(package["id"] for package in told["packages"] if package["name"] == "leoctl")
    linked = reached(nodes, root)
    hashes = checksums()
    components = [component(packages[one], hashes) for one in linked if one != root]
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": release.date("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(packages[root], hashes) | {"type": "application"},
            "properties": [{"name": "leoctl:target", "value": given.target}],
        },
        "components": sorted(components, key=lambda one: one["bom-ref"]),
        "dependencies": sorted((uses(packages, nodes[one], linked) for one in linked), key=lambda one: one["ref"]),
    }
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(NAMESPACE, json.dumps(bill, sort_keys=True))}"
    file = given.out / f"leoctl-{release.version}-{given.target}.cdx.json"
    file.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n")
    return file


def used_by(node):
    """What a crate needs when it is linked: not what builds or tests it."""
    return [need["pkg"] for need in node["deps"] if any(kind["kind"] is None for kind in need["dep_kinds"])]


def reached(nodes, root):
    found, waiting = {root}, [root]
    while waiting:
        for one in used_by(nodes[waiting.pop()]):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def checksums():
    """By name and version, as Cargo.lock has them."""
    rows = re.findall(r'name = "(.+)"\nversion = "(.+)"\n(?:source = .+\nchecksum = "(.+)"\n)?', (ROOT / "Cargo.lock").read_text())
    return {(name, version): checksum for name, version, checksum in rows}


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, hashes):
    out = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    # Crates of long ago have a slash for OR.
    if package["license"]:
        out["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = hashes.get((package["name"], package["version"]))
    if checksum:
        out["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        out["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return out


def uses(packages, node, linked):
    return {"ref": reference(packages[node["id"]]), "dependsOn": sorted({reference(packages[one]) for one in used_by(node) if one in linked})}
