//! Words that people know from other tools, Terraform, the CDK and docker compose among them, and what does the same here.

/// What does here what a command line does elsewhere: by its command, which is its first word, or by one of its options.
pub fn of(words: &[String]) -> Option<&'static str> {
    let command = words.iter().position(|word| !word.starts_with('-'));
    let counts = |(at, word): &(usize, &String)| word.starts_with('-') || Some(*at) == command;
    words.iter().enumerate().filter(counts).find_map(|(_, word)| same(word))
}

fn same(word: &str) -> Option<&'static str> {
    let name = word.trim_start_matches('-');
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    let is_flag = word.starts_with('-');
    let has_one_dash = is_flag && !word.starts_with("--");
    Some(match name {
        "auto-approve" => "`--yes` does not ask",
        "refresh" | "refresh-only" => "every plan reads AWS; `leoctl drift` shows what changed there, and the next apply remembers it",
        "taint" | "untaint" => "`leoctl apply --replace ADDRESS` makes a resource anew",
        "force-unlock" => "`leoctl state unlock` takes the lock away from its holder",
        "workspace" => "an environment is a stack file of its own, with `extends` for what they share",
        "upgrade" | "reconfigure" => "there are no providers to install; `leoctl state migrate` moves a state",
        "out" | "var" | "var-file" | "destroy" | "json" | "detailed-exitcode" | "target" | "replace" if has_one_dash => {
            "long options have two dashes, such as `--out FILE`, `--var NAME=VALUE` and `--target ADDRESS`"
        }
        "raw" if is_flag => "`leoctl output STACK NAME` prints one output as plain text",
        "dry-run" => "`leoctl plan` shows what apply would do, and changes nothing",
        "diff" => "`leoctl plan` shows what apply would change, `leoctl drift` what changed outside",
        "deploy" | "up" => "`leoctl apply` makes and changes what the stack says; `leoctl redeploy SERVICE` starts new tasks",
        "down" => "`leoctl destroy` deletes everything the stack made; `leoctl scale down` stops its tasks and keeps the rest",
        "synth" => "there is no template in between: `leoctl validate` checks a stack, `leoctl plan --json` prints its plan",
        "login" => "leoctl uses the ordinary AWS credentials (`--profile`); `leoctl docker-login` logs docker in to the stack's registries",
        "providers" => "there are none: leoctl calls AWS itself",
        "rollback" => "`leoctl redeploy SERVICE --image TAG` goes back to an image; for the rest, apply the stack file of before",
        "restart" => "`leoctl redeploy SERVICE` starts new tasks in the place of the old ones",
        "ps" => "`leoctl tasks list` lists tasks, `leoctl status` shows how services do",
        "list" | "ls" => "`leoctl state list` lists the stack's resources, `leoctl tasks list` its tasks",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(line: &str) -> Option<&'static str> {
        of(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_of_other_tools_lead_to_what_does_the_same() {
        for (line, leads_to) in [
            ("apply -auto-approve", "--yes"),
            ("plan -out=my.plan", "two dashes"),
            ("plan -var a=b", "two dashes"),
            ("apply --dry-run", "leoctl plan"),
            ("diff", "leoctl drift"),
            ("ps", "leoctl tasks list"),
            ("rollback web", "leoctl redeploy"),
        ] {
            assert!(here(line).is_some_and(|here| here.contains(leads_to)), "{line}: {:?}", here(line));
        }
        for own in ["plan --out a --bogus", "scale down --bogus", "state list --bogus", "plan --json --bogus", "run up"] {
            assert_eq!(here(own), None, "{own}: it is as leoctl has it");
        }
    }
}
