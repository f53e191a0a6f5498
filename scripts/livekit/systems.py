"""The systems that are made: their stack files, and what is changed of each."""

import pathlib
import re
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PREFIX = re.compile(r"(?=.{3,12}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class Change:
    """A change of a stack: lines for its `[resource]` table, or of the table of variables."""

    def __init__(self, name, *resource, variables=()):
        self.name, self.resource, self.variables = name, resource, variables


class System:
    """A stack that is made, changed and deleted. What was changed stays changed."""

    name = ""
    # What it costs a month where leoctl cannot say it.
    dollars_a_month = 0.0
    # What always stands in its `[vars]` and `[resource]` tables.
    variables = ()
    resource = ()
    changes = ()

    def __init__(self, prefix, region, options):
        self.prefix, self.region = prefix, region
        self.file = f"{self.name}.toml"
        given = [option.split(":", 1) for option in options if ":" in option]
        self.options = [value for system, value in given if system == self.name]
        self.lines, self.values = [self.named(line) for line in self.resource], [self.named(line) for line in self.variables]

    def named(self, line):
        """A line with the prefix in it."""
        return line.replace("PREFIX", self.prefix)

    def arguments(self, fresh=None):
        """How leoctl is told of it; with `fresh`, where nothing is remembered of it."""
        variables = [argument for value in self.options for argument in ("--var", value)]
        if fresh is None:
            return [*variables, self.file]
        # The state hangs off the stack file: beside another one there is none.
        apart = fresh / "apart"
        apart.mkdir(exist_ok=True)
        shutil.copy(fresh / self.file, apart / self.file)
        if (fresh / "base").exists():
            shutil.copytree(fresh / "base", apart / "base", dirs_exist_ok=True)
        return [*variables, str(apart / self.file)]

    def text(self):
        """The stack file."""
        raise NotImplementedError

    def write(self, folder):
        """Writes its files."""
        (folder / self.file).write_text(self.text())

    def change(self, change, folder):
        """Writes the file with a change; what takes the change back."""
        before = list(self.lines), list(self.values)

        def take_back():
            self.lines, self.values = before
            self.write(folder)

        self.lines += [self.named(line) for line in change.resource]
        self.values += [self.named(line) for line in change.variables]
        self.write(folder)
        return take_back


class Extending(System):
    """One that extends a stack of this repository."""

    base = ""

    def text(self):
        head = ["[stack]", f'name    = "{self.prefix}-{self.name}"', f'region  = "{self.region}"', f'extends = ["base/{self.base}"]']
        return "\n".join([*head, "", "[vars]", *last_of_each(self.values), "", "[resource]", *last_of_each(self.lines), ""])

    def write(self, folder):
        shutil.copytree(ROOT / "stacks" / "base", folder / "base", dirs_exist_ok=True)
        super().write(folder)


def last_of_each(lines):
    """The lines without those whose key comes again."""
    return list({line.split("=", 1)[0].strip(): line for line in lines}.values())


class Leo(Extending):
    """The platform of docs/leo.md, without images: its service has no tasks."""

    name, base = "leo", "leo.toml"
    variables = (
        'environment.default = "dev"',
        'project.default = "PREFIX"',
        'rollout.default = "none"',
        'app_name.default = "PREFIX-app"',
        'generator_name.default = "PREFIX-generator"',
        'log_prefix.default = "/PREFIX"',
        'secret_prefix.default = "PREFIX"',
        'cluster_name.default = "PREFIX"',
        'service_name.default = "PREFIX"',
        'target_group_name.default = "PREFIX"',
        'resource_prefix.default = "PREFIX"',
        'bucket_prefix.default = "PREFIX"',
        'allowed_cidrs.default = ["192.0.2.0/24"]',
    )
    # Deleted at once, so that a second run can have the names again.
    resource = ("secretsmanager_secret.app.recovery_window_in_days = 0", "ecs_service.app.desired_count = 0")
    changes = (
        Change("rules inside a security group", variables=('allowed_cidrs.default = ["198.51.100.0/24", "2001:db8::/32"]',)),
        Change("every tag", variables=('project.default = "PREFIX-2"',)),
        Change("a network's DNS", "vpc.main.enable_dns_hostnames = false"),
        Change("a subnet's addresses", "subnet.public.map_public_ip_on_launch = false"),
        Change("the retention of a log group", "cloudwatch_log_group.app.retention_in_days = 14"),
        Change("a repository's tags cannot be moved", 'ecr_repository.app.image_tag_mutability = "IMMUTABLE"'),
        Change(
            "a repository's lifecycle",
            'ecr_repository.app.lifecycle_policy = { rules = [{ rulePriority = 1, selection = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }, action = { type = "expire" } }] }',
        ),
        Change("a bucket keeps old versions", 's3_bucket.apps.versioning = "Enabled"'),
        Change(
            "a bucket's lifecycle",
            's3_bucket.apps.lifecycle_rules = [{ id = "DeleteAfter30Days", expiration_in_days = 60, noncurrent_version_expiration_in_days = 7 }]',
        ),
        Change("a secret's description", 'secretsmanager_secret.app.description = "made to try leoctl"'),
        Change("a role's longest session", "iam_role.app.max_session_duration = 7200"),
        Change("a role's managed policy", 'iam_role.app.managed_policy_arns = ["arn:${stack.partition}:iam::aws:policy/ReadOnlyAccess"]'),
        Change("a cluster's insights", 'ecs_cluster.main.container_insights = "enabled"'),
        Change("a task definition", "ecs_task_definition.app.cpu = 512", "ecs_task_definition.app.memory = 1024"),
        Change("a load balancer's attributes", 'lb.main.attributes = { "idle_timeout.timeout_seconds" = "120" }'),
        Change("a target group's health check", "lb_target_group.app.health_check_interval_seconds = 15"),
        Change("a service's deployment", "ecs_service.app.deployment_configuration = { maximum_percent = 150, minimum_healthy_percent = 50 }"),
        Change("a name that replaces", 'security_group.generator.description = "Generator tasks, once more"'),
    )


class Agent(Extending):
    """The container of docs/agent.md, without an image: its service has no tasks."""

    name, base = "agent", "agent.toml"
    variables = ('project_name.default = "PREFIX"', 'rollout.default = "none"')
    resource = (
        "secretsmanager_secret.api_key.recovery_window_in_days = 0",
        "ecr_repository.agent.force_delete = true",
        "backup_vault.main.force_delete = true",
        'backup_plan.daily.name = "PREFIX"',
        'backup_selection.workspace.name = "PREFIX"',
        "ecs_service.agent.desired_count = 0",
    )
    changes = (
        Change("a file system keeps itself small", 'efs_file_system.workspace.lifecycle_policies = { transition_to_ia = "AFTER_30_DAYS" }'),
        Change("a backup plan's rule", 'backup_plan.daily.rules = [{ rule_name = "Daily", target_backup_vault_name = "${backup_vault.main.name}", schedule_expression = "cron(0 6 * * ? *)", lifecycle = { delete_after_days = 14 } }]'),
        Change("an alarm's threshold", "cloudwatch_metric_alarm.high_cpu.threshold = 80"),
        Change("a topic that comes", variables=('alert_email.default = "nobody@example.com"',)),
        Change("a topic that goes", variables=('alert_email.default = ""',)),
        Change("spare capacity", variables=("use_fargate_spot.default = true",)),
        Change("no spare capacity", variables=("use_fargate_spot.default = false",)),
        Change("a separate rule", 'security_group_rule.nfs.description = "NFS"'),
    )


class Canary(System):
    """A service whose requests move to new tasks in two steps, with a public image."""

    name = "canary"
    dollars_a_month = 60.0
    changes = (Change("a canary deployment", variables=('greeting.default = "second"',)),)

    def text(self):
        text = (ROOT / "scripts" / "livekit" / "canary.toml").read_text()
        values = "\n".join(last_of_each(['greeting.default = "first"', *self.values]))
        return text.replace("PREFIX", self.prefix).replace("REGION", self.region).replace("# VARIABLES", values)


SYSTEMS = {system.name: system for system in (Leo, Agent, Canary)}
