//! A plan of modules is that of the same stack written out by hand.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::model::address::{Address, Block};
use crate::plan::step::Step;
use crate::plan::types::{Change, Plan};
use crate::testing::Account;

/// What a plan does, by addresses as they are when everything in modules is written out in the stack: the steps and what
/// each waits for, and what every resource depends on and becomes.
fn flat(plan: &Plan) -> BTreeSet<String> {
    let flat = |address: &Address| match address.block.module.iter().next() {
        Some(used) => {
            Address { block: Block::new(address.type_name(), format!("{}_{}", used.name, address.block.name)), key: address.key.clone() }
        }
        None => address.clone(),
    };
    let all = |addresses: &[Address]| addresses.iter().map(flat).collect::<BTreeSet<_>>();
    let after =
        |step: &Step| step.after.iter().map(|on| (flat(&plan.steps[*on].address), plan.steps[*on].kind.name())).collect::<BTreeSet<_>>();
    let steps = plan.steps.iter().map(|step| format!("{} {:?} after {:?}", flat(&step.address), step.kind.name(), after(step)));
    let change = |change: &Change| {
        let mut after = change.after.to_public_json(&|_| serde_json::Value::Null);
        // The tag that says the address differs, as addresses do.
        after.as_object_mut().into_iter().for_each(|after| drop(after.remove("tags")));
        let after = after.to_string().replace("module.one.", "").replace("module.two.", "");
        format!("{} {:?} {:?} {after}", flat(&change.address), change.action, all(&change.depends_on))
    };
    steps.chain(plan.changes.iter().map(change)).collect()
}

/// Two modules written out by hand: what each has, with the names it has there.
const BY_HAND: &str = "
[resource.vpc.one_main]
cidr_block = '10.1.0.0/16'
[resource.subnet.one_public]
for_each   = ['a', 'b']
vpc_id     = '${vpc.one_main.id}'
cidr_block = '${cidrsubnet(vpc.one_main.cidr_block, 8, each.index)}'
[resource.group.two_g]
name = '${subnet.one_public[\"a\"].id}'
[resource.policy.two_p]
when = '${vars.more}'
name = '${group.two_g.arn}'
[resource.route_table.all]
vpc_id     = '${vpc.one_main.id}'
subnet_ids = '${pluck(subnet.one_public, \"id\")}'
depends_on = ['group.two_g', 'policy.two_p']
";

const IN_MODULES: &str = "
[module.two]
source = 'modules/two.toml'
inputs = { net = '${module.one.first}', more = '${vars.more}' }
[module.one]
source = 'modules/one.toml'
inputs = { cidr = '10.1.0.0/16', zones = ['a', 'b'] }
[resource.route_table.all]
vpc_id     = '${module.one.vpc}'
subnet_ids = '${module.one.subnets}'
depends_on = ['module.two']
#file modules/one.toml
[vars.cidr]
[vars.zones]
[resource.vpc.main]
cidr_block = '${vars.cidr}'
[resource.subnet.public]
for_each   = '${vars.zones}'
vpc_id     = '${vpc.main.id}'
cidr_block = '${cidrsubnet(vpc.main.cidr_block, 8, each.index)}'
[outputs]
vpc     = '${vpc.main.id}'
subnets = '${pluck(subnet.public, \"id\")}'
first   = '${subnet.public[\"a\"].id}'
#file modules/two.toml
[vars.net]
[vars.more]
[resource.group.g]
name = '${vars.net}'
[resource.policy.p]
when = '${vars.more}'
name = '${group.g.arn}'
";

#[test]
fn a_plan_of_modules_is_that_of_the_same_written_out_by_hand() {
    for more in ["true", "false"] {
        let vars = format!("[vars.more]\ndefault = {more}\n");
        let (by_hand, in_modules) = (format!("{vars}{BY_HAND}"), format!("{vars}{IN_MODULES}"));
        let empty = Account::new();
        assert_eq!(flat(&empty.plan(&in_modules).unwrap()), flat(&empty.plan(&by_hand).unwrap()));
        let changed = |text: &str| text.replace("10.1.0.0", "10.2.0.0");
        let of = |text: &str, then: &str| flat(&Account::new().applied(text).plan(then).unwrap());
        // The replacement names what stands, by its id: an address in these tests.
        let same =
            |set: BTreeSet<String>| set.into_iter().map(|line| line.replace("one_", "").replace("two_", "")).collect::<BTreeSet<_>>();
        assert_eq!(same(of(&in_modules, &changed(&in_modules))), same(of(&by_hand, &changed(&by_hand))));
        let destroyed = |text: &str| {
            let mut account = Account::new().applied(text);
            account.options.destroy = true;
            flat(&account.plan(text).unwrap())
        };
        assert_eq!(same(destroyed(&in_modules)), same(destroyed(&by_hand)));
    }
}

/// Resources that refer to some of those before them, each in the stack itself (0) or in one of two modules.
#[derive(Clone, Debug)]
struct Parted(Vec<(usize, BTreeSet<usize>)>);

const MODULES: [&str; 2] = ["one", "two"];

impl Parted {
    fn strategy() -> impl Strategy<Value = Self> {
        let one = (0..=MODULES.len(), proptest::collection::vec(any::<bool>(), 9));
        proptest::collection::vec(one, 1..10).prop_map(|all| {
            let of = |(at, (module, named)): (usize, (usize, Vec<bool>))| {
                (module, named.into_iter().take(at).enumerate().filter(|(_, named)| *named).map(|(on, _)| on).collect())
            };
            Self(all.into_iter().enumerate().map(of).collect())
        })
    }

    fn resource(name: &str, references: impl Iterator<Item = String>) -> String {
        let text: String = references.map(|reference| format!("${{{reference}}}")).collect();
        format!("[resource.policy.{name}]\nname = 'n{text}'\n")
    }

    /// Everything in the stack itself, under the names that `flat` gives what is in modules.
    fn by_hand(&self) -> String {
        let name = |at: usize| match self.0[at].0 {
            0 => format!("r{at}"),
            module => format!("{}_r{at}", MODULES[module - 1]),
        };
        let one = |(at, (_, on)): (usize, &(usize, BTreeSet<usize>))| {
            Self::resource(&name(at), on.iter().map(|on| format!("policy.{}.arn", name(*on))))
        };
        self.0.iter().enumerate().map(one).collect()
    }

    /// The same in modules: what is in another is an input, and what another needs an output.
    fn in_modules(&self) -> String {
        let inside = |module: usize| self.0.iter().enumerate().filter(move |(_, (of, _))| *of == module);
        let seen_from = |module: usize, at: usize| match self.0[at].0 {
            of if of == module => format!("policy.r{at}.arn"),
            _ if module > 0 => format!("vars.r{at}"),
            of => format!("module.{}.r{at}", MODULES[of - 1]),
        };
        let resources = |module: usize| -> String {
            let one = |(at, (_, on)): (usize, &(usize, BTreeSet<usize>))| {
                Self::resource(&format!("r{at}"), on.iter().map(|on| seen_from(module, *on)))
            };
            inside(module).map(one).collect()
        };
        let (mut stack, mut files) = (resources(0), String::new());
        for (number, name) in MODULES.iter().enumerate() {
            let module = number + 1;
            let needed: BTreeSet<usize> =
                inside(module).flat_map(|(_, (_, on))| on.iter().copied()).filter(|on| self.0[*on].0 != module).collect();
            let inputs: String = needed.iter().map(|at| format!("r{at} = '${{{}}}'\n", seen_from(0, *at))).collect();
            let vars: String = needed.iter().map(|at| format!("[vars.r{at}]\n")).collect();
            let outputs: String = inside(module).map(|(at, _)| format!("r{at} = '${{policy.r{at}.arn}}'\n")).collect();
            stack.push_str(&format!("[module.{name}]\nsource = 'modules/{name}.toml'\n[module.{name}.inputs]\n{inputs}"));
            files.push_str(&format!("\n#file modules/{name}.toml\n{vars}{}[outputs]\n{outputs}", resources(module)));
        }
        format!("{stack}{files}")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_a_stack_is_parted_into_modules_its_plan_stays_the_same(parted in Parted::strategy()) {
        let plans = [parted.by_hand(), parted.in_modules()].map(|text| flat(&Account::new().plan(&text).unwrap()));
        prop_assert_eq!(&plans[0], &plans[1]);
        prop_assert!(plans[0].len() >= parted.0.len());
    }
}
