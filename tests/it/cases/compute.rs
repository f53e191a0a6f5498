//! Machines and the network around them.

use super::Case;
use crate::gaps::Gap;

pub const NEEDS: &[(&str, &str)] = &[];

pub const CASES: &[Case] = &[];

pub const GAPS: &[Gap] = &[];
