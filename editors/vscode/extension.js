// leoctl's language server for the TOML files that are its stacks and modules.
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

function start() {
  const settings = vscode.workspace.getConfiguration("leoctl");
  const run = { command: settings.get("path"), args: ["lsp"], transport: TransportKind.stdio };
  const documentSelector = settings.get("files").map((pattern) => ({ scheme: "file", pattern }));
  client = new LanguageClient("leoctl", "leoctl", { run, debug: run }, { documentSelector });
  return client.start().catch((error) => {
    vscode.window.showErrorMessage(`leoctl cannot be started as \`${run.command}\`: ${error.message}. The setting leoctl.path says where it is.`);
  });
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) {
    await running.stop();
  }
}

async function restart() {
  await stop();
  await start();
}

function activate(context) {
  context.subscriptions.push(vscode.commands.registerCommand("leoctl.restart", restart));
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("leoctl.path") || event.affectsConfiguration("leoctl.files")) {
        return restart();
      }
    }),
  );
  return start();
}

module.exports = { activate, deactivate: stop };
