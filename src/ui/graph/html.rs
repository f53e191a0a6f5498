//! Graphs as a page of their own: the picture, what is known of each node, and the little script that shows it. Nothing is
//! loaded from elsewhere, and nothing of a stack is markup.

use serde_json::{Value as Json, json};

use super::kind::{KINDS, class};
use super::svg::{HEADS, Picture, STYLE, escaped};
use super::{Drawing, details, words};

const PAGE: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// A page about a graph: as it is shown first, and with every instance by itself where that is another picture.
pub fn render(folded: &Drawing<'_>, whole: Option<&Drawing<'_>>) -> String {
    let name = escaped(&words::line(&folded.graph.stack)).into_owned();
    let views: Vec<Picture<'_>> = [Some(folded), whole].into_iter().flatten().map(Picture::new).collect();
    let pictures: String = views.iter().enumerate().map(|(at, picture)| view(at, picture)).collect();
    let data = json!({
        "stack": words::line(&folded.graph.stack),
        "planned": folded.graph.planned,
        "views": views.iter().map(details::of).collect::<Vec<_>>(),
        "legend": legend(whole.unwrap_or(folded)),
    });
    let data = in_script(&data);
    filled(PAGE, &|place| match place {
        "name" => &name,
        "style" => STYLE,
        "css" => CSS,
        "heads" => HEADS,
        "pictures" => &pictures,
        "data" => &data,
        "script" => JS,
        _ => "",
    })
}

fn view(at: usize, picture: &Picture<'_>) -> String {
    let hidden = if at == 0 { "" } else { " hidden" };
    format!("<g class=\"view\" data-view=\"{at}\"{hidden}>\n{}</g>\n", picture.elements())
}

fn legend(drawing: &Drawing<'_>) -> Json {
    let nodes = &drawing.graph.nodes;
    let kinds = KINDS.iter().filter(|kind| nodes.iter().any(|node| class(&node.block.type_name) == kind.class));
    let has = |fate: &str| nodes.iter().any(|node| node.fate.as_ref().is_some_and(|known| words::fate(known) == fate));
    let fates = words::FATES.iter().filter(|fate| has(fate)).map(|fate| json!(["fate", fate, fate]));
    kinds.map(|kind| json!(["kind", kind.class, kind.name])).chain(fates).collect()
}

/// A page with each `{{place}}` filled; what is filled in is not looked through again.
fn filled<'a>(page: &str, of: &dyn Fn(&str) -> &'a str) -> String {
    let mut parts = page.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once("}}").unwrap_or_default();
        text.push_str(of(place));
        text.push_str(rest);
    }
    text
}

/// JSON inside of a script: nothing in it ends the script or begins a comment.
fn in_script(json: &Json) -> String {
    let text = json.to_string();
    text.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_script_and_all_of_it_comes_back() {
        let hostile = json!({ "a": "</script><script>alert(1)</script><!-- & \u{2028}" });
        let text = in_script(&hostile);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), hostile);
    }

    #[test]
    fn what_is_filled_in_is_no_place_itself() {
        assert_eq!(filled("a{{x}}b{{y}}c", &|place| if place == "x" { "{{y}}" } else { "1" }), "a{{y}}b1c");
    }
}
