//! What the values of attributes are, by their names: text, addresses, code.
//!
//! It knows nothing of where a value begins or ends.

use super::super::escape::Holder;

/// What a value is to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Url,
    /// Several URLs of images.
    Images,
    /// The `content` of `<meta>`, which may be where to go next.
    Meta,
    /// What says how the tag is meant, or what it may do.
    Choice,
    Code,
    /// Code to a library, and a text to browsers.
    Expression,
    /// JSON for a library, which takes it for code if it begins so.
    Settings,
    Style,
    Document,
}

/// Attributes that a browser follows.
const URL_ATTRIBUTES: [&str; 32] = [
    "action",
    "archive",
    "attributionsrc",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "data-hx-delete",
    "data-hx-get",
    "data-hx-patch",
    "data-hx-post",
    "data-hx-put",
    "dynsrc",
    "formaction",
    "href",
    "hx-delete",
    "hx-get",
    "hx-patch",
    "hx-post",
    "hx-put",
    "icon",
    "longdesc",
    "lowsrc",
    "manifest",
    "ping",
    "pluginspage",
    "poster",
    "profile",
    "src",
    "usemap",
    "xlink:href",
];

/// Attributes that list images with their sizes.
const IMAGE_ATTRIBUTES: [&str; 2] = ["imagesrcset", "srcset"];

/// Attributes that list URLs with white space between them.
const SPACED_ATTRIBUTES: [&str; 2] = ["attributionsrc", "ping"];

/// Of those that a browser follows, what means the same wherever it stands in XML.
const URL_ATTRIBUTES_OF_XML: [&str; 3] = ["formaction", "href", "src"];

/// Elements of drawings that change an attribute of another.
const ANIMATIONS: [&str; 5] = ["animate", "animatecolor", "animatemotion", "animatetransform", "set"];

/// Elements whose `nonce` and `integrity` say what may run; in HTML any may have them.
const VOUCHED: [&str; 3] = ["link", "script", "style"];

/// How the attributes of XHTML and SVG begin that are scripts. In other vocabularies `on` begins many a harmless word.
const EVENTS: [&str; 77] = [
    "onabort",
    "onactivate",
    "onafter",
    "onani",
    "onaux",
    "onbefore",
    "onbegin",
    "onblur",
    "oncancel",
    "oncanplay",
    "onchange",
    "onclick",
    "onclose",
    "oncommand",
    "oncontext",
    "oncopy",
    "oncue",
    "oncut",
    "ondblclick",
    "ondevice",
    "ondrag",
    "ondrop",
    "onduration",
    "onemptied",
    "onend",
    "onerror",
    "onfocus",
    "onformdata",
    "onfull",
    "ongesture",
    "ongot",
    "onhash",
    "oninput",
    "oninvalid",
    "onkey",
    "onlanguage",
    "onload",
    "onlost",
    "onmessage",
    "onmouse",
    "onoffline",
    "ononline",
    "onorientation",
    "onpage",
    "onpaste",
    "onpause",
    "onplay",
    "onpointer",
    "onpopstate",
    "onprogress",
    "onratechange",
    "onrejection",
    "onrepeat",
    "onreset",
    "onresize",
    "onscroll",
    "onsearch",
    "onsecurity",
    "onseek",
    "onselect",
    "onslot",
    "onstalled",
    "onstorage",
    "onsubmit",
    "onsuspend",
    "ontimeupdate",
    "ontoggle",
    "ontouch",
    "ontransition",
    "onunhandled",
    "onunload",
    "onvisibility",
    "onvolume",
    "onwaiting",
    "onwebkit",
    "onwheel",
    "onzoom",
];

impl Kind {
    /// Whether it is a URL, or several.
    pub(super) fn is_url(self) -> bool {
        matches!(self, Self::Url | Self::Images)
    }

    /// What the value of this attribute is on this element; both are in lower case, and the element without a prefix.
    pub(super) fn of(element: &str, attribute: &str, xml: bool) -> Self {
        if is_choice(element, attribute, xml) {
            return Self::Choice;
        }
        let (url, code) = if xml {
            // A prefix may be any.
            let local = attribute.rsplit(':').next().unwrap_or(attribute);
            let of_element = matches!((element, local), ("form", "action") | ("object", "data"));
            let of_any = attribute == "xml:base" || URL_ATTRIBUTES_OF_XML.contains(&local);
            (of_element || of_any, is_event_of_xml(local))
        } else {
            (URL_ATTRIBUTES.contains(&attribute), attribute.starts_with("on"))
        };
        // What SVG animates may be the address of a link.
        let animated = ANIMATIONS.contains(&element);
        match attribute {
            _ if url => Self::Url,
            _ if code => Self::Code,
            "to" | "from" | "by" if animated => Self::Url,
            "values" if animated => Self::Code,
            "value" if element == "param" => Self::Url,
            "content" if element == "meta" => Self::Meta,
            "style" => Self::Style,
            "srcdoc" => Self::Document,
            _ if IMAGE_ATTRIBUTES.contains(&attribute) => Self::Images,
            _ if !xml && is_expression(attribute) => Self::Expression,
            _ if !xml && SETTINGS.contains(&attribute.strip_prefix("data-").unwrap_or(attribute)) => Self::Settings,
            _ => Self::Plain,
        }
    }
}

/// How a URL stands in the value of an attribute of this name and kind.
pub(super) fn holder(attribute: &str, kind: Kind) -> Holder {
    if kind == Kind::Images {
        Holder::Images
    } else if SPACED_ATTRIBUTES.contains(&attribute) {
        Holder::Words
    } else {
        Holder::Whole
    }
}

/// Whether an attribute of this name, which is in lower case, is a script in XHTML and SVG.
pub(in super::super) fn is_event_of_xml(attribute: &str) -> bool {
    EVENTS.iter().any(|event| attribute.starts_with(event))
}

/// Attributes of htmx that hold JSON, or code behind `js:`.
const SETTINGS: [&str; 3] = ["hx-headers", "hx-request", "hx-vals"];

/// Attributes of Alpine and Vue that are no code, but names and classes.
const NO_EXPRESSIONS: [&str; 9] =
    ["v-cloak", "v-once", "v-pre", "x-cloak", "x-ignore", "x-mask", "x-ref", "x-teleport", "x-transition"];

/// Whether Alpine, Vue, Angular or htmx runs what an attribute of this name holds; the name is in lower case.
fn is_expression(attribute: &str) -> bool {
    let bare = attribute.strip_prefix("data-").unwrap_or(attribute);
    let is_named = ["x-", "v-"].iter().any(|prefix| attribute.starts_with(prefix)) && {
        let is_class = attribute.starts_with("x-transition:") || attribute.starts_with("x-transition.");
        !is_class && !NO_EXPRESSIONS.contains(&attribute)
    };
    let is_marked = attribute.len() > 1 && attribute.starts_with(['@', ':', '(', '[', '*']);
    is_named || is_marked || bare.starts_with("hx-on") || bare == "hx-vars"
}

/// Whether some attributes of this element are of another kind than on others, and nothing else is special about it.
pub(super) fn has_kinds(element: &str) -> bool {
    ANIMATIONS.contains(&element) || matches!(element, "base" | "form" | "noscript" | "object" | "param" | "template")
}

/// Whether the attribute says what others of the tag mean, what its content is, or what that may do.
fn is_choice(element: &str, attribute: &str, xml: bool) -> bool {
    match attribute {
        "allow" | "csp" | "sandbox" => element == "iframe",
        "as" | "rel" => element == "link",
        "attributename" => ANIMATIONS.contains(&element),
        "charset" => matches!(element, "meta" | "script"),
        "encoding" => element == "annotation-xml",
        "http-equiv" => element == "meta",
        "integrity" | "nonce" => !xml || VOUCHED.contains(&element),
        "name" => element == "param",
        "shadowrootmode" => element == "template",
        "type" => element == "script",
        // Which elements these are that follow.
        _ => xml && (attribute == "xmlns" || attribute.starts_with("xmlns:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_a_value_is() {
        for (element, attribute, kind) in [
            ("p", "title", Kind::Plain),
            ("a", "rel", Kind::Plain),
            ("link", "rel", Kind::Choice),
            ("link", "as", Kind::Choice),
            ("link", "title", Kind::Plain),
            ("meta", "http-equiv", Kind::Choice),
            ("meta", "content", Kind::Meta),
            ("meta", "property", Kind::Plain),
            ("iframe", "sandbox", Kind::Choice),
            ("iframe", "allow", Kind::Choice),
            ("script", "nonce", Kind::Choice),
            ("script", "crossorigin", Kind::Plain),
            ("animate", "attributename", Kind::Choice),
            ("animatetransform", "to", Kind::Url),
            ("animate", "values", Kind::Code),
            ("animate", "dur", Kind::Plain),
            ("param", "name", Kind::Choice),
            ("param", "value", Kind::Url),
            ("input", "value", Kind::Plain),
            ("img", "attributionsrc", Kind::Url),
            ("img", "lowsrc", Kind::Url),
            ("img", "dynsrc", Kind::Url),
            ("img", "usemap", Kind::Url),
            ("head", "profile", Kind::Url),
            ("object", "classid", Kind::Url),
            ("object", "archive", Kind::Url),
            ("button", "formtarget", Kind::Plain),
            ("use", "xlink:href", Kind::Url),
            ("image", "href", Kind::Url),
            ("body", "onpageshow", Kind::Code),
            ("div", "x-data", Kind::Expression),
            ("div", "x-bind:class", Kind::Expression),
            ("div", "@click.prevent", Kind::Expression),
            ("div", ":class", Kind::Expression),
            ("div", "v-html", Kind::Expression),
            ("div", "(click)", Kind::Expression),
            ("div", "[value]", Kind::Expression),
            ("div", "hx-on::after-request", Kind::Expression),
            ("div", "data-hx-on:click", Kind::Expression),
            ("div", "hx-vals", Kind::Settings),
            ("div", "hx-get", Kind::Url),
            ("div", "hx-target", Kind::Plain),
            ("div", "x-ref", Kind::Plain),
            ("div", "x-transition:enter", Kind::Plain),
            ("div", "data-controller", Kind::Plain),
            ("x-card", "title", Kind::Plain),
        ] {
            assert_eq!(Kind::of(element, attribute, false), kind, "{element} {attribute}");
        }
        for (element, attribute, kind) in [
            ("feed", "xmlns", Kind::Choice),
            ("feed", "xmlns:x", Kind::Choice),
            ("feed", "xml:base", Kind::Url),
            ("number", "base", Kind::Plain),
            ("seal", "integrity", Kind::Plain),
            ("script", "integrity", Kind::Choice),
            ("image", "l:href", Kind::Url),
        ] {
            assert_eq!(Kind::of(element, attribute, true), kind, "{element} {attribute} in XML");
        }
    }
}
