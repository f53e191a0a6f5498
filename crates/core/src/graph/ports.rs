//! What a rule of a security group lets through, in words.

use crate::model::redact::MASK;
use crate::model::value::Value;

/// What a rule lets through, such as `tcp 5432`.
pub fn words(rule: &Value) -> String {
    let field = |name| rule.get(name).unwrap_or(&Value::Null);
    let protocol = match field("ip_protocol") {
        Value::Secret(_) => MASK.to_owned(),
        Value::String(text) if text == "-1" => return "all traffic".to_owned(),
        Value::String(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        _ => "?".to_owned(),
    };
    match (field("from_port"), field("to_port")) {
        (Value::Secret(_), _) | (_, Value::Secret(_)) => format!("{protocol} {MASK}"),
        (Value::Unknown, _) | (_, Value::Unknown) => format!("{protocol} ?"),
        (Value::Int(-1), _) => protocol,
        (Value::Int(from), Value::Int(to)) if from == to => format!("{protocol} {from}"),
        (Value::Int(0), Value::Int(65535)) => format!("{protocol} all ports"),
        (Value::Int(from), Value::Int(to)) => format!("{protocol} {from}–{to}"),
        (Value::Int(from), _) => format!("{protocol} {from}"),
        _ => protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, from: Value, to: Value) -> String {
        let fields = [("ip_protocol", Value::string(protocol)), ("from_port", from), ("to_port", to)];
        words(&Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    #[test]
    fn a_rule_is_said_in_few_words() {
        assert_eq!(rule("tcp", Value::Int(5432), Value::Int(5432)), "tcp 5432");
        assert_eq!(rule("udp", Value::Int(8000), Value::Int(8100)), "udp 8000–8100");
        assert_eq!(rule("tcp", Value::Int(0), Value::Int(65535)), "tcp all ports");
        assert_eq!(rule("-1", Value::Null, Value::Null), "all traffic");
        assert_eq!(rule("icmp", Value::Int(-1), Value::Int(-1)), "icmp");
        assert_eq!(rule("tcp", Value::Unknown, Value::Unknown), "tcp ?");
        assert_eq!(rule("tcp", Value::Int(22).into_secret(), Value::Int(22)), "tcp (sensitive)");
    }
}
