//! The course of a number in one line.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar for each value, from nothing to `top` and above; a gap where there is none.
pub fn line(values: &[Option<f64>], top: f64) -> String {
    let bar = |value: &Option<f64>| match value {
        None => ' ',
        Some(value) => {
            // A cast of what is too large or no number at all gives an end of the range.
            let height = (value / top * 8.0).ceil().clamp(1.0, 8.0) as usize;
            BARS.get(height.saturating_sub(1)).copied().unwrap_or(' ')
        }
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn bars_grow_with_values_and_gaps_stay() {
        let values = [Some(0.0), Some(12.5), Some(13.0), None, Some(50.0), Some(100.0), Some(250.0)];
        assert_eq!(super::line(&values, 100.0), "▁▁▂ ▄██");
        assert_eq!(super::line(&[Some(f64::NAN), Some(1.0)], 0.0).chars().count(), 2);
    }
}
