//! AWS's resource schemas as `scripts/schemas` packs them: an index, and chunks of which one is unpacked when one of its types
//! is asked for. Looking into the index touches no other page of the program.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use serde_json::Value as Json;

use super::names;

static BYTES: &[u8] = include_bytes!("schemas.bin");

/// The packed schemas.
#[derive(Debug)]
pub struct Bundle {
    /// Which schemas they are: the version of cfn-lint, the date, how many.
    pub head: Json,
    dictionary: &'static [u8],
    chunks: Vec<[usize; 3]>,
    types: BTreeMap<String, Entry>,
    packed: &'static [u8],
}

/// Where a type is.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name at AWS.
    pub aws: &'static str,
    /// Its number among all.
    pub number: usize,
    chunk: usize,
    start: usize,
    length: usize,
}

/// What is left to be read.
struct Rest(&'static [u8]);

impl Rest {
    fn take(&mut self, length: usize) -> Option<&'static [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    }

    fn sized(&mut self) -> Option<&'static [u8]> {
        let length = self.number()?;
        self.take(length)
    }

    fn numbers<const N: usize>(&mut self) -> Option<Vec<[usize; N]>> {
        let count = self.number()?;
        let row = |rest: &mut Self| {
            let mut row = [0; N];
            for cell in &mut row {
                *cell = rest.number()?;
            }
            Some(row)
        };
        (0..count).map(|_| row(self)).collect()
    }
}

impl Bundle {
    /// The schemas that leoctl carries, read when first asked for; none when the file is not one.
    pub fn get() -> Option<&'static Self> {
        static BUNDLE: OnceLock<Option<Bundle>> = OnceLock::new();
        BUNDLE.get_or_init(|| Self::read(BYTES)).as_ref()
    }

    fn read(bytes: &'static [u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.take(7)? != b"leocc1\n" {
            return None;
        }
        let head = serde_json::from_slice(rest.sized()?).ok()?;
        let dictionary = rest.sized()?;
        let chunks = rest.numbers::<3>()?;
        let rows = rest.numbers::<4>()?;
        let all = std::str::from_utf8(rest.sized()?).ok()?;
        let mut from = 0;
        let mut types = BTreeMap::new();
        for (number, [end, chunk, start, length]) in rows.into_iter().enumerate() {
            let aws = all.get(from..end)?;
            from = end;
            types.insert(names::type_name(aws), Entry { aws, number, chunk, start, length });
        }
        Some(Self { head, dictionary, chunks, types, packed: rest.0 })
    }

    /// The types, by their names in stack files.
    pub fn types(&self) -> &BTreeMap<String, Entry> {
        &self.types
    }

    /// The schema of a type.
    pub fn schema(&self, entry: &Entry) -> Option<Json> {
        let [offset, length, unpacked] = *self.chunks.get(entry.chunk)?;
        let packed = self.packed.get(offset..)?.get(..length)?;
        // What comes before the output is what it may repeat.
        let start = self.dictionary.len();
        let mut out = Vec::with_capacity(start + unpacked);
        out.extend_from_slice(self.dictionary);
        out.resize(start + unpacked, 0);
        let mut state = Box::<DecompressorOxide>::default();
        let (status, _, written) = decompress(&mut state, packed, &mut out, start, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
        if status != TINFLStatus::Done || written != unpacked {
            return None;
        }
        serde_json::from_slice(out.get(start + entry.start..)?.get(..entry.length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Bundle;

    #[test]
    fn every_type_is_there_under_a_name_of_its_own_and_unpacks() {
        let bundle = Bundle::get().unwrap();
        assert_eq!(bundle.head["types"], bundle.types().len(), "two types have one name in stack files");
        assert!(bundle.types().len() >= 1_853);
        for (name, entry) in bundle.types() {
            let schema = bundle.schema(entry).unwrap_or_else(|| panic!("{name} does not unpack"));
            assert!(schema["properties"].is_object(), "{name}");
        }
    }
}
