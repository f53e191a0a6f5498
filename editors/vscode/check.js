// Checks the grammar with the engine that VS Code has, laid into a grammar of TOML's strings; run by the tests of leoctl.
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const INJECTED = "leoctl.cel.injection";
const TOML = {
  scopeName: "source.toml",
  patterns: [
    { match: "#.*$", name: "comment.line.toml" },
    { begin: '"', end: '"', name: "string.quoted.single.basic.line.toml", patterns: [{ match: "\\\\.", name: "constant.character.escape.toml" }] },
  ],
};

async function main() {
  const wasm = fs.readFileSync(path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm"));
  await oniguruma.loadWASM(wasm);
  const text = fs.readFileSync(path.join(__dirname, "syntaxes/cel.tmLanguage.json"), "utf8");
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (string) => new oniguruma.OnigString(string),
    }),
    loadGrammar: async (scope) => (scope === INJECTED ? parseRawGrammar(text, "cel.json") : TOML),
    getInjections: (scope) => (scope === "source.toml" ? [INJECTED] : []),
  });
  const grammar = await registry.loadGrammar("source.toml");
  const scopes = (line) => {
    const found = {};
    for (const token of grammar.tokenizeLine(line, INITIAL).tokens) {
      found[line.slice(token.startIndex, token.endIndex).trim()] = token.scopes.at(-1);
    }
    return found;
  };
  const all = scopes("a = \"x ${cidrsubnet(vpc.main.id, 8) + vars.x == 'a}' ? {'k': 1} : null} y\" # ${vars.z}");
  assert.equal(all.cidrsubnet, "entity.name.function.cel");
  assert.equal(all.main, "variable.other.property.cel");
  assert.equal(all.vars, "variable.language.cel");
  assert.equal(all["'a}'"], "string.quoted.single.cel");
  assert.equal(all.null, "constant.language.cel");
  assert.equal(all["y"], "string.quoted.single.basic.line.toml");
  assert.equal(all["# ${vars.z}"], "comment.line.toml");
  assert.equal(scopes('a = "$${vars.x}"')["$${"], "constant.character.escape.cel");
}

main();
