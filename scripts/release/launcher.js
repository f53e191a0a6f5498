#!/usr/bin/env node
// Runs the leoctl of this platform, which npm has installed as an optional dependency. Nothing is downloaded here.
"use strict";

const { spawn } = require("node:child_process");

const name = `@leoctl/${process.platform}-${process.arch}`;

function find() {
  const program = process.platform === "win32" ? "leoctl.exe" : "leoctl";
  try {
    return require.resolve(`${name}/bin/${program}`);
  } catch {
    console.error(`error: the package ${name} is not installed`);
    console.error("help: install leoctl with its optional dependencies (no --omit=optional); if there is no such package, there is no leoctl for this platform");
    process.exit(1);
  }
}

const program = find();
const given = process.argv.slice(2);

// Where Node can, the process becomes leoctl: signals, terminal and exit code are its own.
if (typeof process.execve === "function" && process.platform !== "win32") {
  process.execve(program, [program, ...given], process.env);
}

const child = spawn(program, given, { stdio: "inherit" });
// The terminal sends Ctrl-C to both, and leoctl ends in order: this process waits for it. What is sent to this one alone goes on.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`error: cannot run ${program}: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) {
    process.exit(code);
  }
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
