// The platform of the comparison in CloudFormation's own resources, one for one, so that all tools make the same.
// The legacy synthesizer hands the template in with the call: no bootstrap stack, no assets.

const { App, LegacyStackSynthesizer, RemovalPolicy, Stack, Tags } = require("aws-cdk-lib");
const ec2 = require("aws-cdk-lib/aws-ec2");
const ecr = require("aws-cdk-lib/aws-ecr");
const ecs = require("aws-cdk-lib/aws-ecs");
const elb = require("aws-cdk-lib/aws-elasticloadbalancingv2");
const iam = require("aws-cdk-lib/aws-iam");
const logs = require("aws-cdk-lib/aws-logs");
const s3 = require("aws-cdk-lib/aws-s3");
const secretsmanager = require("aws-cdk-lib/aws-secretsmanager");

const EVERYWHERE = "0.0.0.0/0";

function network(stack) {
  const vpc = new ec2.CfnVPC(stack, "Vpc", { cidrBlock: "10.0.0.0/16", enableDnsHostnames: true });
  const gateway = new ec2.CfnInternetGateway(stack, "Gateway");
  const attachment = new ec2.CfnVPCGatewayAttachment(stack, "Attachment", { vpcId: vpc.ref, internetGatewayId: gateway.ref });
  const table = new ec2.CfnRouteTable(stack, "Table", { vpcId: vpc.ref });
  const route = new ec2.CfnRoute(stack, "Route", { routeTableId: table.ref, destinationCidrBlock: EVERYWHERE, gatewayId: gateway.ref });
  route.addDependency(attachment);
  const subnets = ["us-east-1a", "us-east-1b"].map((availabilityZone, index) => {
    const cidrBlock = `10.0.${index}.0/24`;
    const subnet = new ec2.CfnSubnet(stack, `Subnet${index}`, { vpcId: vpc.ref, availabilityZone, cidrBlock, mapPublicIpOnLaunch: true });
    new ec2.CfnSubnetRouteTableAssociation(stack, `Association${index}`, { subnetId: subnet.ref, routeTableId: table.ref });
    return subnet.ref;
  });
  for (const named of [vpc, gateway, table]) Tags.of(named).add("Name", "peers");
  return { vpcId: vpc.ref, subnets, route };
}

function firewalls(stack, vpcId) {
  const securityGroupEgress = [{ ipProtocol: "-1", cidrIp: EVERYWHERE }];
  const alb = new ec2.CfnSecurityGroup(stack, "AlbGroup", {
    groupName: "peers-alb", groupDescription: "Load balancer", vpcId, securityGroupEgress,
    securityGroupIngress: [{ ipProtocol: "tcp", fromPort: 80, toPort: 80, cidrIp: EVERYWHERE }],
  });
  const app = new ec2.CfnSecurityGroup(stack, "AppGroup", {
    groupName: "peers-app", groupDescription: "Tasks", vpcId, securityGroupEgress,
    securityGroupIngress: [{ ipProtocol: "tcp", fromPort: 8080, toPort: 8080, sourceSecurityGroupId: alb.attrGroupId }],
  });
  return { alb: alb.attrGroupId, app: app.attrGroupId };
}

function storage(stack) {
  const logGroup = new logs.CfnLogGroup(stack, "Logs", { logGroupName: "/peers/app", retentionInDays: 7 });
  const repository = new ecr.CfnRepository(stack, "Repository", { repositoryName: "peers-app", emptyOnDelete: true });
  const bucket = new s3.CfnBucket(stack, "Bucket", { bucketName: "peers-files" });
  const secret = new secretsmanager.CfnSecret(stack, "Secret", { name: "peers/token", description: "A token" });
  // CloudFormation's own rule for these: deleted with the stack, as by the others.
  for (const kept of [logGroup, repository, bucket, secret]) kept.applyRemovalPolicy(RemovalPolicy.DESTROY);
  return { logGroup, repository, bucket, secret };
}

function role(stack, id, roleName, Statement) {
  const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ecs-tasks.amazonaws.com" } };
  return new iam.CfnRole(stack, id, {
    roleName,
    assumeRolePolicyDocument: { Version: "2012-10-17", Statement: [trust] },
    policies: [{ policyName: "default", policyDocument: { Version: "2012-10-17", Statement } }],
  });
}

function roles(stack, { logGroup, repository, bucket, secret }) {
  const execution = role(stack, "ExecutionRole", "peers-execution", [
    { Effect: "Allow", Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource: repository.attrArn },
    { Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
    { Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: logGroup.attrArn },
    { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secret.ref },
  ]);
  const task = role(stack, "TaskRole", "peers-task", [{ Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `${bucket.attrArn}/*` }]);
  return { execution, task };
}

function balancer(stack, { vpcId, subnets, route }, securityGroup) {
  const alb = new elb.CfnLoadBalancer(stack, "Alb", { name: "peers", securityGroups: [securityGroup], subnets });
  alb.addDependency(route);
  const group = new elb.CfnTargetGroup(stack, "TargetGroup", {
    name: "peers-app", targetType: "ip", port: 8080, protocol: "HTTP", vpcId, healthCheckPath: "/health",
  });
  const defaultActions = [{ type: "forward", targetGroupArn: group.ref }];
  const listener = new elb.CfnListener(stack, "Listener", { loadBalancerArn: alb.ref, port: 80, protocol: "HTTP", defaultActions });
  return { targetGroupArn: group.ref, listener };
}

function container(release, { logGroup, repository, bucket, secret }) {
  return {
    name: "app",
    image: `${repository.attrRepositoryUri}:latest`,
    portMappings: [{ containerPort: 8080 }],
    environment: [{ name: "RELEASE", value: release }, { name: "BUCKET", value: bucket.ref }],
    secrets: [{ name: "TOKEN", valueFrom: secret.ref }],
    logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": logGroup.ref, "awslogs-stream-prefix": "app", "awslogs-region": "us-east-1" } },
  };
}

function service(stack, release, net, securityGroup, stored, { execution, task }, { targetGroupArn, listener }) {
  const cluster = new ecs.CfnCluster(stack, "Cluster", { clusterName: "peers" });
  const definition = new ecs.CfnTaskDefinition(stack, "Definition", {
    family: "peers-app", cpu: "256", memory: "512", networkMode: "awsvpc", requiresCompatibilities: ["FARGATE"],
    executionRoleArn: execution.attrArn, taskRoleArn: task.attrArn, containerDefinitions: [container(release, stored)],
  });
  const made = new ecs.CfnService(stack, "Service", {
    serviceName: "peers-app", cluster: cluster.ref, taskDefinition: definition.ref, desiredCount: 0, launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets: net.subnets, securityGroups: [securityGroup], assignPublicIp: "ENABLED" } },
    loadBalancers: [{ targetGroupArn, containerName: "app", containerPort: 8080 }],
  });
  made.addDependency(listener);
}

const app = new App();
const stack = new Stack(app, "peers", { synthesizer: new LegacyStackSynthesizer(), analyticsReporting: false });
const net = network(stack);
const groups = firewalls(stack, net.vpcId);
const stored = storage(stack);
service(stack, app.node.tryGetContext("release") ?? "1", net, groups.app, stored, roles(stack, stored), balancer(stack, net, groups.alb));
