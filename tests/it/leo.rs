//! leo
