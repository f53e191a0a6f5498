"""The tools of the comparison: what each is called with for the same deed, and how its folder is made ready."""

import os
import pathlib
import re
import shutil

import install

HERE = pathlib.Path(__file__).resolve().parent


class Tool:
    """One tool, with its program and the platform in its language."""

    name = ""
    # What an unchanged plan says.
    unchanged = ""

    def prepare(self, folder):
        """Copies the platform into a folder, and does once what the tool wants before its first run."""
        shutil.copytree(HERE / "platform" / self.name, folder)

    def environment(self, _folder):
        """What the tool has in its environment beside the address and the credentials, where it runs in this folder."""
        return {}

    def deploy(self, release="1"):
        raise NotImplementedError

    def plan(self):
        raise NotImplementedError

    def destroy(self):
        raise NotImplementedError

    def says_unchanged(self, output):
        return re.search(self.unchanged, output) is not None


class Leoctl(Tool):
    name = "leoctl"
    unchanged = r"No changes"

    def __init__(self, binary):
        self.binary = str(pathlib.Path(binary).resolve())

    def version(self):
        return install.run([self.binary, "--version"]).strip()

    def deploy(self, release="1"):
        return [self.binary, "apply", "-y", "platform.toml", "--var", f"release={release}"]

    def plan(self):
        return [self.binary, "plan", "platform.toml"]

    def destroy(self):
        return [self.binary, "destroy", "-y", "platform.toml"]


class Terraform(Tool):
    name = "terraform"
    unchanged = r"No changes\."

    def __init__(self, binary, plugins):
        self.binary, self.plugins = binary, plugins

    def version(self):
        provider = next((path.parts[-2] for path in sorted(pathlib.Path(self.plugins).glob("*/hashicorp/aws/*/*"))), "")
        return f"{install.run([self.binary, 'version'], env=self.quiet()).splitlines()[0]}, provider aws {provider}"

    def quiet(self):
        return {"PATH": os.environ["PATH"], **self.environment(None)}

    def environment(self, _folder):
        return {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}

    def prepare(self, folder):
        super().prepare(folder)
        install.run([self.binary, "init", f"-plugin-dir={self.plugins}", "-no-color"], cwd=folder, env=self.quiet())

    def deploy(self, release="1"):
        return [self.binary, "apply", "-auto-approve", "-input=false", "-no-color", "-var", f"release={release}"]

    def plan(self):
        return [self.binary, "plan", "-input=false", "-no-color"]

    def destroy(self):
        return [self.binary, "destroy", "-auto-approve", "-input=false", "-no-color"]


class Cdk(Tool):
    name = "cdk"
    unchanged = r"Number of stacks with differences: 0"

    def __init__(self):
        self.place = install.npm("cdk", install.CDK)
        self.binary = str(self.place / "node_modules" / ".bin" / "cdk")

    def version(self):
        return f"CDK {install.CDK[0].rpartition('@')[2]}, library {install.CDK[1].rpartition('@')[2]}, node {install.run(['node', '--version']).strip()}"

    def environment(self, _folder):
        return {"CI": "true", "NO_COLOR": "1", "CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "true", "NODE_NO_WARNINGS": "1"}

    def prepare(self, folder):
        super().prepare(folder)
        (folder / "node_modules").symlink_to(self.place / "node_modules")

    def deploy(self, release="1"):
        return [self.binary, "deploy", "--require-approval", "never", "-c", f"release={release}"]

    def plan(self):
        return [self.binary, "diff"]

    def destroy(self):
        return [self.binary, "destroy", "--force"]


class Ansible(Tool):
    name = "ansible"
    unchanged = r"changed=0 .*failed=0"

    def __init__(self):
        self.python = install.python("ansible", install.ANSIBLE)
        self.binary = str(self.python.parent / "ansible-playbook")

    def version(self):
        return f"Ansible {install.ANSIBLE[0].rpartition('=')[2]} (core {install.ANSIBLE[1].rpartition('=')[2]}), boto3 {install.ANSIBLE[2].rpartition('=')[2]}"

    def environment(self, folder):
        own = f"{folder}/.ansible"
        return {"ANSIBLE_HOME": own, "ANSIBLE_REMOTE_TMP": f"{own}/tmp"}

    def play(self, book, *arguments):
        return [self.binary, "-i", "localhost,", "-e", f"ansible_python_interpreter={self.python}", *arguments, book]

    def deploy(self, release="1"):
        return self.play("deploy.yml", "-e", f"release={release}")

    def plan(self):
        return self.play("deploy.yml", "--check")

    def destroy(self):
        return self.play("destroy.yml")
