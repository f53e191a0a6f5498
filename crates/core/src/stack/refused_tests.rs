//! What is refused of names and numbers, and how it is said.

use crate::testing::{Account, stack, whole};

#[test]
fn a_number_that_no_state_can_hold_is_refused_wherever_it_is_written() {
    let refused = |text: &str| stack(text).err().unwrap_or_default().join("\n");
    for text in ["[outputs]\no = \"${1.0/0.0}\"", "[locals]\nl = \"${0.0/0.0}\"", "[resource.policy.p]\nname = \"x-${1.0/0.0}\""] {
        assert!(refused(text).contains("gives a number that is infinite"), "{text}: {}", refused(text));
    }
    for text in
        ["[outputs]\no = inf", "[outputs]\no = [nan]", "[vars.v]\ndefault = 1e999", "[resource.policy.p]\nname = \"x\"\ncount = -inf"]
    {
        assert!(refused(text).contains("not a number that AWS or the state could hold"), "{text}: {}", refused(text));
    }
}

#[test]
fn what_a_root_has_not_declared_is_named() {
    let said = |expression: &str| {
        let loaded = stack(&format!("[vars]\na.default = \"x\"\n[locals]\nl = \"${{{expression}}}\"\n"));
        loaded.map(drop).map_err(|errors| errors.join("\n"))
    };
    let missing = |what: &str, name: &str| Err(format!("there is no {what} `{name}`"));
    assert_eq!(said("has(vars.a) && vars.a == 'x'"), Ok(()));
    assert_eq!(said("has(stack.name) ? 1 : 2"), Ok(()));
    assert_eq!(said("has(vars.zzz)"), Err("there is no variable `zzz`\n  expected one of: a".to_owned()));
    assert_eq!(said("has(env.ZZZ)"), missing("environment variable", "ZZZ"));
    assert_eq!(said("has(data.zones.zzz)"), missing("data source", "data.zones.zzz"));
    for alone in ["vars", "vars[0]", "size(vars)", "vars.?a", "has(vars[0].a)"] {
        let name = if alone.contains("[0]") { "vars[0]" } else { "vars" };
        assert_eq!(said(alone), Err(format!("`{name}` is no value\n  write the name of what you mean: `vars.name`")), "{alone}");
    }
    assert_eq!(said("has(data.zzz)"), Err("`data.zzz` is no value\n  write the name of what you mean: `data.type.name`".to_owned()));
}

#[test]
fn a_name_or_region_that_cannot_be_one_is_said_to_be_none() {
    let loaded = |name: &str| whole(&format!("[stack]\nname = {name}\n")).err().unwrap_or_default().join("\n");
    assert!(loaded("\"\"").starts_with("the stack's name is empty\n"), "{}", loaded("\"\""));
    assert!(loaded("3").starts_with("the stack's name is a string, not an integer\n"), "{}", loaded("3"));
    for head in ["region = 'mars-1'\n", "region = 'us-east-1'\n[resource.vpc.a]\ncidr_block = '10.0.0.0/16'\nregion = 'mars-1'\n"] {
        let wrong = whole(&format!("[stack]\nname = 's'\n{head}")).err().unwrap_or_default().join("\n");
        assert!(wrong.starts_with("`mars-1` cannot be a region"), "{wrong}");
    }
    let region =
        |written: &str| Account::new().plan(&format!("[resource.vpc.a]\ncidr_block = \"10.0.0.0/16\"\nregion = {written}\n")).unwrap_err();
    assert_eq!(region("\"\""), ["the region of vpc.a is empty"]);
    assert_eq!(region("3"), ["the region of vpc.a is a string, not an integer"]);
}
