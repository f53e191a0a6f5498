//! What a word on the command line names: an address, the name of a block, or a name in AWS.
//!
//! A word has one meaning. A whole address goes before the name of a block, and that before a name in AWS; but a word
//! that is the name of one block and the name in AWS of something else is refused, for nobody sees which was meant.

use leoctl_core::model::address::{Address, Block};
use leoctl_core::model::module::{MODULE, ModulePath};
use leoctl_core::model::selector::Selector;
use leoctl_core::stack::diagnostic::suggestion;

use super::Problem;
use super::exec::quoted;

/// Something of a stack that a person may name.
pub trait Named {
    /// What it is, one and many of it.
    const KIND: (&'static str, &'static str);

    /// Its address; nothing for what the stack only uses.
    fn address(&self) -> Option<&Address>;

    /// Its names in AWS.
    fn names(&self) -> Vec<&str>;
}

/// Those of these that a word names; none when it names none. The name of a block with `for_each` names all its instances.
///
/// # Errors
/// When the word has several meanings.
pub fn find<'a, T: Named>(all: &'a [T], word: &str) -> Result<Vec<&'a T>, Problem> {
    let of = |is: &dyn Fn(&T) -> bool| all.iter().filter(|one| is(one)).collect::<Vec<&T>>();
    let whole = of(&|one| one.address().is_some_and(|address| is_address(address, word)));
    if !whole.is_empty() {
        return Ok(whole);
    }
    let by_block = of(&|one| one.address().is_some_and(|address| is_of_block(address, word)));
    let by_block = if by_block.is_empty() { of(&|one| one.address().is_some_and(|address| is_in_module(address, word))) } else { by_block };
    let by_name = of(&|one| one.names().contains(&word));
    let is_in = |one: &&T, others: &[&T]| others.iter().any(|other| std::ptr::eq(*one, *other));
    let one_meaning = match (by_block.is_empty(), by_name.is_empty()) {
        (_, true) => true,
        (true, false) => by_name.len() == 1 || by_name.iter().any(|one| one.address().is_none()),
        (false, false) => by_name.iter().all(|one| is_in(one, &by_block)) && by_name.len() == by_block.len(),
    };
    if one_meaning {
        return Ok(if by_block.is_empty() { by_name } else { by_block });
    }
    let rest = by_name.into_iter().filter(|one| !is_in(one, &by_block)).collect::<Vec<_>>();
    Err(several::<T>(word, by_block.iter().copied().chain(rest)))
}

/// Those of these that a word names.
///
/// # Errors
/// When the word names none, or has several meanings.
pub fn meant<'a, T: Named>(all: &'a [T], word: &str) -> Result<Vec<&'a T>, Problem> {
    let found = find(all, word)?;
    if found.is_empty() { Err(unknown(all, word)) } else { Ok(found) }
}

/// The one of these that a word names.
///
/// # Errors
/// When the word names none, or several.
pub fn one<'a, T: Named>(all: &'a [T], word: &str) -> Result<&'a T, Problem> {
    match meant(all, word)?.as_slice() {
        [only] => Ok(only),
        found => Err(several::<T>(word, found.iter().copied())),
    }
}

/// The shortest that names this one and no other: the name of its block, the key or the name of its module, or its address.
pub fn shortest<T: Named>(all: &[T], address: &Address) -> String {
    let used = address.block.module.iter().last();
    let of_module = used.into_iter().flat_map(|used| used.key.iter().chain([&used.name]));
    let mut names = std::iter::once(&address.block.name).chain(of_module);
    let plain = |name: &&String| matches!(find(all, name).as_deref(), Ok([only]) if only.address() == Some(address));
    names.find(plain).cloned().unwrap_or_else(|| address.to_string())
}

/// What one of these is called by in a list of names: the name of its block; of one in a module, the shortest that names it.
pub fn called<T: Named>(all: &[T], address: &Address) -> String {
    if address.block.module.is_root() { address.block.name.clone() } else { shortest(all, address) }
}

/// What a resource is spoken of by in a command: the name of its block; of one in a module, its address.
pub fn spoken(address: &Address) -> String {
    if address.block.module.is_root() { address.block.name.clone() } else { quoted(&address.to_string()) }
}

/// An address, or that of a block or of a module with all its instances. A shell takes the quotes of a key away.
fn is_address(address: &Address, word: &str) -> bool {
    word.parse::<Selector>().is_ok_and(|named| named.covers(address))
}

/// The name of a block, maybe with the key of an instance.
fn is_of_block(address: &Address, word: &str) -> bool {
    let Block { type_name, module, .. } = &address.block;
    let named = format!("{type_name}.{word}").parse::<Address>();
    named.is_ok_and(|named| Selector::from(Address { block: named.block.within(module), key: named.key }).covers(address))
}

/// The name of the module that it is in, maybe with the key of an instance, or that key alone.
fn is_in_module(address: &Address, word: &str) -> bool {
    let Some(used) = address.block.module.iter().last() else { return false };
    let own = ModulePath::default().inside(used.name.as_str(), used.key.clone());
    let text = format!("{MODULE}.{word}");
    ModulePath::parse(&text).is_some_and(|(path, rest)| rest.is_empty() && path.matches(&own)) || used.key.as_deref() == Some(word)
}

fn several<'a, T: Named + 'a>(word: &str, found: impl Iterator<Item = &'a T>) -> Problem {
    let addresses: Vec<String> = found.filter_map(T::address).map(|address| format!("`{address}`")).collect();
    Problem::new(format!("`{word}` may mean several {}", T::KIND.1), format!("write which, by its address: {}", addresses.join(", ")))
}

fn unknown<T: Named>(all: &[T], word: &str) -> Problem {
    let (one, many) = T::KIND;
    let names: Vec<String> = all.iter().filter_map(T::address).map(|address| called(all, address)).collect();
    let list = || match all.is_empty() {
        true => format!("the stack has no {many}"),
        false => format!("the stack's {many}: {}", names.join(", ")),
    };
    Problem::new(format!("there is no {one} `{word}`"), suggestion(word, names.iter().map(String::as_str)).unwrap_or_else(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(Option<Address>, &'static str);

    impl Named for Thing {
        const KIND: (&'static str, &'static str) = ("thing", "things");

        fn address(&self) -> Option<&Address> {
            self.0.as_ref()
        }

        fn names(&self) -> Vec<&str> {
            vec![self.1]
        }
    }

    fn thing(address: &str, name: &'static str) -> Thing {
        Thing(Some(address.parse().unwrap()), name)
    }

    /// Their names in AWS.
    fn named(all: &[Thing], word: &str) -> Result<Vec<&'static str>, Problem> {
        meant(all, word).map(|found| found.iter().map(|one| one.1).collect())
    }

    #[test]
    fn a_word_that_is_one_s_block_and_another_s_name_is_refused_with_the_addresses() {
        let all = [thing("t.web", "frontend"), thing("t.api", "web")];
        let problem = named(&all, "web").unwrap_err();
        assert_eq!(problem.message, "`web` may mean several things");
        assert_eq!(problem.help, "write which, by its address: `t.web`, `t.api`");
        assert_eq!(named(&all, "t.web").unwrap(), ["frontend"]);
        assert_eq!(named(&all, "api").unwrap(), ["web"]);
        assert_eq!(named(&all, "frontend").unwrap(), ["frontend"]);
        assert_eq!(
            (shortest(&all, all[0].0.as_ref().unwrap()), shortest(&all, all[1].0.as_ref().unwrap())),
            ("t.web".into(), "api".into())
        );
    }

    #[test]
    fn the_block_of_several_instances_means_all_and_a_key_one() {
        let all = [thing("t.web[\"eu\"]", "web-eu"), thing("t.web[\"us\"]", "web-us"), thing("t.api", "api")];
        for word in ["web", "t.web"] {
            assert_eq!(named(&all, word).unwrap(), ["web-eu", "web-us"], "{word}");
        }
        for word in ["web[eu]", "t.web[eu]", "t.web[\"eu\"]", "web-eu"] {
            assert_eq!(named(&all, word).unwrap(), ["web-eu"], "{word}");
        }
        assert!(one(&all, "web").is_err_and(|problem| problem.help.contains("`t.web[\"us\"]`")));
        assert_eq!(shortest(&all, all[1].0.as_ref().unwrap()), "t.web[\"us\"]");
    }

    #[test]
    fn one_name_in_two_places_is_refused_unless_no_address_tells_them_apart() {
        let two = [thing("t.eu", "web"), thing("t.us", "web")];
        assert!(named(&two, "web").is_err());
        assert_eq!(named(&two, "us").unwrap(), ["web"]);
        let used = [Thing(None, "/log"), Thing(None, "/log")];
        assert_eq!(named(&used, "/log").unwrap().len(), 2);
    }

    #[test]
    fn what_is_in_a_module_is_named_by_the_module_or_its_key_too() {
        let all = [
            thing("module.web[\"orders\"].t.main", "a"),
            thing("module.web[\"billing\"].t.main", "b"),
            thing("module.mail.t.main", "c"),
            thing("module.mail.t.again", "d"),
            thing("t.own", "e"),
        ];
        for word in ["orders", "web[orders]", "web[\"orders\"]", "module.web[orders]", "module.web[\"orders\"].t.main"] {
            assert_eq!(named(&all, word).unwrap(), ["a"], "{word}");
        }
        assert_eq!(named(&all, "web").unwrap(), ["a", "b"]);
        assert_eq!(named(&all, "main").unwrap(), ["a", "b", "c"]);
        let several = one(&all, "mail").err().unwrap();
        assert_eq!(several.help, "write which, by its address: `module.mail.t.main`, `module.mail.t.again`");
        let shortest = all.each_ref().map(|thing| shortest(&all, thing.0.as_ref().unwrap()));
        assert_eq!(shortest, ["orders", "billing", "module.mail.t.main", "again", "own"]);
        assert!(named(&all, "odrers").unwrap_err().help.contains("orders"));
    }

    #[test]
    fn a_typo_is_met_with_the_right_name() {
        let all = [thing("t.worker", "leo-worker")];
        assert!(named(&all, "wroker").unwrap_err().help.contains("worker"));
        assert_eq!(named(&[], "x").unwrap_err().help, "the stack has no things");
    }
}
