//! Completers of shells that put a candidate on the command line as it is: theirs are quoted here, so that the name of a
//! file or a key never becomes a command. The other shells quote what they insert by themselves.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap_complete::engine::complete;
use clap_complete::env::{Bash, EnvCompleter, Powershell};

/// bash: with a script that takes one candidate a line. The script of the library splits and globs them.
pub struct QuotedBash;

/// PowerShell.
pub struct QuotedPowershell;

const SCRIPT: &str = r#"_clap_complete_leoctl() {
    local candidate
    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(VARIABLE=bash _CLAP_COMPLETE_INDEX="$COMP_CWORD" "COMPLETER" -- "${words[@]}")
    if [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" =~ [=/:]$ ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -o bashdefault -F _clap_complete_leoctl BIN
"#;

impl EnvCompleter for QuotedBash {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(&self, var: &str, _name: &str, bin: &str, completer: &str, buf: &mut dyn Write) -> io::Result<()> {
        buf.write_all(SCRIPT.replace("VARIABLE", var).replace("COMPLETER", completer).replace("BIN", bin).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok()).unwrap_or_default();
        for candidate in complete(command, words, index, folder)? {
            if let Some(value) = candidate.get_value().to_str().and_then(bash) {
                writeln!(buf, "{value}")?;
            }
        }
        Ok(())
    }
}

impl EnvCompleter for QuotedPowershell {
    fn name(&self) -> &'static str {
        Powershell.name()
    }

    fn is(&self, name: &str) -> bool {
        Powershell.is(name)
    }

    fn write_registration(&self, var: &str, name: &str, bin: &str, completer: &str, buf: &mut dyn Write) -> io::Result<()> {
        Powershell.write_registration(var, name, bin, completer, buf)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        // As the library's own: the last word is the one to complete, a tab stands before the help.
        let index = words.len().saturating_sub(1);
        for candidate in complete(command, words, index, folder)? {
            let Some(value) = candidate.get_value().to_str().and_then(powershell) else { continue };
            let help = candidate.get_help().map(|help| help.to_string()).unwrap_or_default();
            writeln!(buf, "{value}\t{}", help.lines().next().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// What needs no quotes in any shell.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_-./:=,@%+".contains(c)
}

/// A word as bash reads it back, inside quotes that are open too. None for what a line cannot have.
fn bash(word: &str) -> Option<String> {
    if word.chars().any(char::is_control) {
        return None;
    }
    let mut quoted = String::with_capacity(word.len());
    for c in word.chars() {
        if !is_plain(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    Some(quoted)
}

/// A word as PowerShell reads it back: in quotes that expand nothing, in which each quote stands twice. It takes
/// typographic quotes for quotes, too (about_Quoting_Rules).
fn powershell(word: &str) -> Option<String> {
    if word.chars().any(char::is_control) {
        return None;
    }
    if word.chars().all(|c| is_plain(c) && !",@%".contains(c)) {
        return Some(word.to_owned());
    }
    let twice = |c: char| if "'\u{2018}\u{2019}\u{201A}\u{201B}".contains(c) { vec![c, c] } else { vec![c] };
    Some(format!("'{}'", word.chars().flat_map(twice).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_word_is_obeyed() {
        for (word, in_bash, in_powershell) in [
            ("stacks/prod.toml", "stacks/prod.toml", "stacks/prod.toml"),
            ("$(touch x).toml", r"\$\(touch\ x\).toml", "'$(touch x).toml'"),
            ("it's", r"it\'s", "'it''s'"),
            ("a\u{2019}b", "a\\\u{2019}b", "'a\u{2019}\u{2019}b'"),
            (r#"subnet.a["x"]"#, r#"subnet.a\[\"x\"\]"#, r#"'subnet.a["x"]'"#),
            ("`id`;&|<>*?~!#", r"\`id\`\;\&\|\<\>\*\?\~\!\#", "'`id`;&|<>*?~!#'"),
        ] {
            assert_eq!(bash(word).as_deref(), Some(in_bash), "{word}");
            assert_eq!(powershell(word).as_deref(), Some(in_powershell), "{word}");
        }
        assert_eq!(bash("a\nb"), None);
        assert_eq!(powershell("a\u{1b}b"), None);
    }
}
