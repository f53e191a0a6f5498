//! What follows the load, the clock and other services; keys and parameters.

use super::Case;
use crate::gaps::Gap;

pub const NEEDS: &[(&str, &str)] = &[];

pub const CASES: &[Case] = &[];

pub const GAPS: &[Gap] = &[];
