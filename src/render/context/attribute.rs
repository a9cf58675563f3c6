//! What the values of attributes are, by their names: text, addresses, code.
//!
//! It knows nothing of where a value begins or ends.

/// What a value is to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Url,
    /// Several URLs of images.
    Images,
    /// The `content` of `<meta>`, which may be where to go next.
    Meta,
    /// The `type` of a script.
    ScriptType,
    Code,
    Style,
    Document,
}

/// Attributes that a browser follows.
const URL_ATTRIBUTES: [&str; 14] = [
    "action",
    "background",
    "cite",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "ping",
    "poster",
    "src",
    "xlink:href",
];

/// Attributes that list images with their sizes.
const IMAGE_ATTRIBUTES: [&str; 2] = ["imagesrcset", "srcset"];

/// Of those, what means the same wherever it stands in XML.
const URL_ATTRIBUTES_OF_XML: [&str; 3] = ["formaction", "href", "src"];

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
    /// What the value of this attribute is on this element; both are in lower case, and the element without a prefix.
    pub(super) fn of(element: &str, attribute: &str, xml: bool) -> Self {
        let (url, code) = if xml {
            // A prefix may be any.
            let attribute = attribute.rsplit(':').next().unwrap_or(attribute);
            let of_element = matches!((element, attribute), ("form", "action") | ("object", "data"));
            (of_element || URL_ATTRIBUTES_OF_XML.contains(&attribute), is_event_of_xml(attribute))
        } else {
            (URL_ATTRIBUTES.contains(&attribute), attribute.starts_with("on"))
        };
        // What SVG animates may be the address of a link.
        let animated = matches!(element, "set" | "animate");
        match attribute {
            _ if url => Self::Url,
            _ if code => Self::Code,
            "to" | "from" | "by" if animated => Self::Url,
            "values" if animated => Self::Code,
            "content" if element == "meta" => Self::Meta,
            "type" if element == "script" => Self::ScriptType,
            "style" => Self::Style,
            "srcdoc" => Self::Document,
            _ if IMAGE_ATTRIBUTES.contains(&attribute) => Self::Images,
            _ => Self::Plain,
        }
    }
}

/// Whether an attribute of this name, which is in lower case, is a script in XHTML and SVG.
pub(in super::super) fn is_event_of_xml(attribute: &str) -> bool {
    EVENTS.iter().any(|event| attribute.starts_with(event))
}
