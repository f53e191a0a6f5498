use super::*;

/// A stand-in for real keys: anybody who knows one of these words can decrypt. The envelope around it is what is tested.
struct Paper(Vec<&'static str>);

#[async_trait]
impl Keeper for Paper {
    fn method(&self) -> Method {
        Method::Age
    }
    fn keys(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
    fn reads_itself(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn fresh(&self, _: &About) -> Result<(DataKey, Vec<u8>), StoreError> {
        let key = DataKey::random();
        let wrapped = [key.bytes(), self.0.join(",").as_bytes()].concat();
        Ok((key, wrapped))
    }
    async fn opened(&self, _: &About, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        let (key, words) = wrapped.split_at(32);
        let words = String::from_utf8(words.to_vec()).unwrap();
        let is_ours = words.split(',').any(|word| self.0.contains(&word));
        is_ours.then(|| DataKey::of(key).unwrap()).ok_or_else(|| refused("it is for others"))
    }
}

/// Keys of KMS behind a name that is no key's own.
struct Alias(Paper);

#[async_trait]
impl Keeper for Alias {
    fn method(&self) -> Method {
        Method::Kms
    }
    fn keys(&self) -> Vec<String> {
        vec!["alias/state".to_owned()]
    }
    fn reads_itself(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn fresh(&self, about: &About) -> Result<(DataKey, Vec<u8>), StoreError> {
        self.0.fresh(about).await
    }
    async fn opened(&self, about: &About, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        self.0.opened(about, wrapped).await
    }
}

fn vault(words: &[&'static str]) -> Vault {
    Vault::new("web", Arc::new(Paper(words.to_vec())), Vec::new())
}

fn state(serial: u64) -> State {
    State { serial, ..State::new("web", "1", "r", "lineage".to_owned(), "salt".to_owned()) }
}

async fn line(vault: &Vault, number: u64, text: &str) -> Line {
    let text = vault.record(("lineage", 1), number, text.to_owned()).await.unwrap();
    Line { text, place: format!("journal:{number}"), number }
}

#[tokio::test]
async fn a_stack_without_encryption_writes_and_reads_as_it_is() {
    let vault = Vault::default();
    assert_eq!(vault.state(&state(1), "text".to_owned()).await.unwrap(), "text");
    assert_eq!(vault.open_state("s.json", "text".to_owned()).await.unwrap(), "text");
    assert!(vault.notes().is_empty());
}

#[tokio::test]
async fn an_encrypted_state_without_the_table_is_refused_and_says_what_is_missing() {
    let sealed = vault(&["a"]).state(&state(1), "text".to_owned()).await.unwrap();
    let refused = Vault::default().open_state("s.json", sealed).await.unwrap_err();
    assert_eq!(refused.code, Code::Encryption);
    assert!(refused.message.contains("(age a), and the stack file has no [stack.encryption]"), "{refused}");
}

#[tokio::test]
async fn a_state_in_the_clear_is_read_with_a_note_unless_it_must_not_be() {
    let vault = vault(&["a"]);
    vault.open_state("s.json", "text".to_owned()).await.unwrap();
    assert!(vault.notes()[0].starts_with("s.json is not encrypted yet"), "{:?}", vault.notes());
    let refused = super::tests::vault(&["a"]).requiring(true).open_state("s.json", "text".to_owned()).await.unwrap_err();
    assert!(refused.message.contains("`required = true`"), "{refused}");
}

#[tokio::test]
async fn the_file_of_another_stack_or_kind_is_refused() {
    let other = Vault::new("shop", Arc::new(Paper(vec!["a"])), Vec::new());
    let sealed = other.state(&state(1), "text".to_owned()).await.unwrap();
    let refused = vault(&["a"]).open_state("s.json", sealed).await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (Code::ForeignState, "the state belongs to stack shop, but this is stack web"));
    let ours = vault(&["a"]);
    let plan = ours.seal(ours.plan("lineage", 1), "text".to_owned()).await.unwrap();
    assert!(ours.open_state("s.json", plan).await.unwrap_err().message.contains("something else"));
}

#[tokio::test]
async fn who_can_read_the_state_is_changed_by_rotating_alone() {
    let sealed = vault(&["a", "b"]).state(&state(1), "text".to_owned()).await.unwrap();
    let now = vault(&["a", "evil"]);
    now.open_state("s.json", sealed.clone()).await.unwrap();
    let refused = now.state(&state(2), "text".to_owned()).await.unwrap_err();
    assert!(refused.message.ends_with("with evil, without b"), "{refused}");
    assert!(now.record(("lineage", 1), 0, "text".to_owned()).await.is_err());
    assert!(now.notes()[0].contains("with evil, without b"));
    let rotating = vault(&["a", "c"]).rotating();
    rotating.open_state("s.json", sealed).await.unwrap();
    let rotated = rotating.state(&state(2), "text".to_owned()).await.unwrap();
    assert_eq!(vault(&["c"]).open_state("s.json", rotated.clone()).await.unwrap(), "text");
    assert!(vault(&["b"]).open_state("s.json", rotated).await.unwrap_err().message.contains("it is for others"));
}

#[tokio::test]
async fn what_older_keys_encrypted_is_read_as_long_as_they_are_named() {
    let sealed = vault(&["old"]).state(&state(1), "text".to_owned()).await.unwrap();
    let both = Vault::new("web", Arc::new(Paper(vec!["new"])), vec![Arc::new(Paper(vec!["old"]))]);
    assert_eq!(both.open_state("s.json", sealed.clone()).await.unwrap(), "text");
    let clear = both.in_the_clear();
    clear.open_state("s.json", sealed).await.unwrap();
    assert_eq!(clear.state(&state(2), "text".to_owned()).await.unwrap(), "text");
}

#[tokio::test]
async fn a_name_that_means_another_key_now_is_a_change_of_keys() {
    let alias = |key| Arc::new(Alias(Paper(vec![key])));
    let sealed = Vault::new("web", alias("here"), Vec::new()).state(&state(1), "text".to_owned()).await.unwrap();
    let moved = Vault::new("web", alias("there"), vec![alias("here")]);
    moved.open_state("s.json", sealed.clone()).await.unwrap();
    assert!(moved.notes()[0].contains("alias/state is another key now"), "{:?}", moved.notes());
    assert!(moved.state(&state(2), "text".to_owned()).await.is_err());
    let same = Vault::new("web", alias("here"), vec![alias("there")]);
    same.open_state("s.json", sealed).await.unwrap();
    same.state(&state(2), "text".to_owned()).await.unwrap();
}

#[tokio::test]
async fn records_are_read_in_their_own_order_and_of_their_own_journal() {
    let vault = vault(&["a"]);
    let lines = async |numbers: &[u64]| {
        let mut lines = Vec::new();
        for (index, number) in numbers.iter().enumerate() {
            lines.push(Line { number: index as u64, ..line(&vault, *number, &format!("record {number}")).await });
        }
        lines
    };
    let opened = vault.open_lines(&state(1), lines(&[0, 1, 2]).await).await.unwrap();
    assert_eq!(opened.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["record 0", "record 1", "record 2"]);
    for wrong in [&[0, 2][..], &[1, 0], &[0, 0]] {
        let refused = vault.open_lines(&state(1), lines(wrong).await).await.map(drop).unwrap_err();
        assert!(refused.message.contains("is not the record that belongs there"), "{refused}");
    }
    assert!(vault.open_lines(&state(2), lines(&[0]).await).await.is_err(), "the journal of another serial");
    for (numbers, missing) in [(&[0, 1, 3][..], 2), (&[1], 0)] {
        let mut left = Vec::new();
        for number in numbers {
            left.push(line(&vault, *number, "record").await);
        }
        let refused = vault.open_lines(&state(1), left).await.map(drop).unwrap_err();
        assert!(refused.message.ends_with(&format!("record {missing} is missing")), "{refused}");
    }
}

#[tokio::test]
async fn a_record_in_the_clear_is_refused_after_what_is_encrypted() {
    let vault = vault(&["a"]);
    let clear = |number| Line { text: "{}".to_owned(), place: format!("journal:{number}"), number };
    // The state is in the clear, and so was the journal until encryption was turned on.
    let lines = vec![clear(0), line(&vault, 1, "record").await];
    assert_eq!(vault.open_lines(&state(1), lines).await.unwrap().len(), 2);
    let lines = vec![line(&vault, 0, "record").await, clear(1)];
    assert!(vault.open_lines(&state(1), lines).await.is_err());
    let sealed = vault.state(&state(1), "text".to_owned()).await.unwrap();
    vault.open_state("s.json", sealed).await.unwrap();
    assert!(vault.open_lines(&state(1), vec![clear(0)]).await.is_err());
}
