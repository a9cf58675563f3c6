//! Nothing that is shown holds a secret: each text is looked through for the values of those that the site has read.
//!
//! A secret cannot come into these texts by the site's own declarations. It can come back from outside, in the answer of an upstream that
//! repeats what it was sent; or stand in a file where it should not be.

use crate::config::Tripwire;
use serde_json::Value;

/// The same without the texts that hold a secret, which is named in their place.
pub(super) fn discreet(mut value: Value, tripwire: &Tripwire) -> Value {
    if tripwire.is_idle() || found(&value, tripwire).is_none() {
        return value;
    }
    withhold(&mut value, tripwire);
    // Names of members, and what is in several texts together.
    match found(&value, tripwire) {
        Some(name) => Value::String(withheld(name)),
        None => value,
    }
}

fn found<'t>(value: &Value, tripwire: &'t Tripwire) -> Option<&'t str> {
    tripwire.find(value.to_string().as_bytes()).map(|name| &**name)
}

fn withhold(value: &mut Value, tripwire: &Tripwire) {
    match value {
        Value::String(text) => {
            if let Some(name) = tripwire.find(text.as_bytes()) {
                *text = withheld(name);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| withhold(item, tripwire)),
        Value::Object(members) => members.values_mut().for_each(|member| withhold(member, tripwire)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is said in place of a text.
pub(super) fn withheld(name: &str) -> String {
    format!("(withheld: it holds the value of the secret `{name}`)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use serde_json::json;

    #[test]
    fn what_holds_a_secret_is_withheld_and_the_rest_is_shown() {
        let secret = Secret::new("shpat_4f9c1e77b2a84d0f");
        let tripwire = Tripwire::new([("TOKEN", &secret)]);
        let said = "(withheld: it holds the value of the secret `TOKEN`)";
        for (value, expected) in [
            (json!({ "a": ["b", 1] }), json!({ "a": ["b", 1] })),
            (json!({ "a": ["x shpat%5F4f9c1e77b2a84d0f", 1] }), json!({ "a": [said, 1] })),
            (json!({ "shpat_4f9c1e77b2a84d0f": 1 }), json!(said)),
        ] {
            assert_eq!(discreet(value, &tripwire), expected);
        }
    }
}
