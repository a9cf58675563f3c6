//! What may be printed where the tracker is, and how it is written there.

use super::{Kind, Power, Role, Sink, Stand, State, Tracker, local_name};

const STYLES: &str = "choose a `class` by `{% if %}` or `{% case %}` instead; a number may stand here, behind a filter that makes one of \
    any value, as in `{{ width | plus: 0 }}`";

const USE_DATA: &str = "put it in a `data-…` attribute, or in `<script type=\"application/json\">` with `| json`";

impl Tracker {
    /// What may be printed here.
    pub(in super::super) fn stand(&self) -> Stand {
        match self.stand_in_html() {
            Stand::Fine(sink) if self.xml => Stand::Fine(sink.in_xml()),
            stand @ (Stand::Fine(_) | Stand::OnlyJson(..) | Stand::OnlyOwn(..)) => stand,
            stand @ (Stand::OnlyNumber(..) | Stand::Refused(..)) => stand,
        }
    }

    fn stand_in_html(&self) -> Stand {
        match self.state {
            _ if self.half.is_angle() && self.takes_all() => {
                Stand::Refused("right behind a `<`", "write `&lt;`, or a space between them")
            }
            State::Text => Stand::Fine(Sink::Text),
            State::CharacterData => Stand::Fine(Sink::Section),
            State::Quoted { kind: Kind::Meta, .. } if self.power() == Power::Acts => Stand::OnlyOwn(
                Sink::Attribute,
                "in what a `<meta http-equiv>` tells browsers to do",
                "write it out; after a delay, as in `5; url=`, a value may say where to go",
            ),
            State::Quoted { kind: Kind::Plain | Kind::Meta, .. } => Stand::Fine(Sink::Attribute),
            State::Quoted { kind: Kind::Choice, .. } if local_name(&self.element) == "script" => {
                Stand::OnlyOwn(Sink::Attribute, "that says what a script is", "write it out")
            }
            State::Quoted { kind: Kind::Choice, .. } => Stand::OnlyOwn(
                Sink::Attribute,
                "that says how browsers take its tag, or what that may do,",
                "write it out, or choose by `{% if %}` or `{% case %}`",
            ),
            State::Quoted { kind: Kind::Url, .. } if self.url.runs() => {
                Stand::Refused("in a URL that is a script or a document", USE_DATA)
            }
            State::Quoted { kind: Kind::Url | Kind::Images, .. } if self.url.refers() => {
                Stand::Refused("that could complete what the `&` before it begins", "write `&amp;` for an `&`")
            }
            State::Quoted { kind: Kind::Url, quote } if self.url.leads_anywhere() && self.chooses_code() => {
                Stand::OnlyOwn(
                    Sink::Url(self.url.part(quote)),
                    "that says where a script or a style comes from",
                    "begin the address with text of the layout, as in `/js/`, or with a value of the site's own, as in `{{ vars.cdn }}`",
                )
            }
            State::Quoted { kind: Kind::Url, quote } if self.names_script() => {
                Stand::Fine(Sink::Url(self.url.part(quote).of_script()))
            }
            State::Quoted { kind: Kind::Url, quote } if self.url.chooses_host() && self.sends_on() => Stand::OnlyOwn(
                Sink::Url(self.url.part(quote)),
                "where a page sends visitors on",
                "begin the address with text of the layout, as in `5; url=/new/`, or with a value of the site's own, as in `{{ vars.shop }}`",
            ),
            State::Quoted { kind: Kind::Url | Kind::Images, quote } => Stand::Fine(Sink::Url(self.url.part(quote))),
            State::Quoted { kind: Kind::Code, .. } => Stand::Refused("in an attribute that is a script", USE_DATA),
            State::Quoted { kind: Kind::Style, .. } => Stand::OnlyNumber("in a `style` attribute", STYLES),
            State::Quoted { kind: Kind::Expression | Kind::Settings, .. } => Stand::Fine(Sink::Attribute),
            State::Quoted { kind: Kind::Document, .. } => Stand::Refused("in a `srcdoc` attribute", USE_DATA),
            State::Raw => match local_name(&self.element) {
                "script" => self.script.stand(self.said.role()),
                // References are read here, but tags are not.
                "textarea" | "title" => Stand::Fine(Sink::Attribute),
                "style" => Stand::OnlyNumber("in a `<style>` element", STYLES),
                _ => Stand::Refused("in an element whose content is not markup", "move it out of the element"),
            },
            State::Comment => Stand::Refused("in a comment of the markup", "use `{% comment %}` for notes"),
            State::Declaration | State::Instruction => Stand::Refused("in a declaration of the markup", "write it out"),
            State::Unquoted | State::BeforeValue => {
                Stand::Refused("in an attribute without quotes", "write quotes around the value")
            }
            State::TagOpen | State::TagName => {
                Stand::Refused("in the name of an element", "choose the element by `{% if %}` or `{% case %}`")
            }
            State::InTag | State::Slash | State::AttributeName | State::AfterName => {
                Stand::Refused("in a tag, outside an attribute's value", "write the attribute's name and quotes out")
            }
        }
    }

    /// Whether this is a place where any text may stand, but for the tag that ends it.
    fn takes_all(&self) -> bool {
        let is_text = matches!(local_name(&self.element), "textarea" | "title");
        if self.state == State::Raw { is_text } else { self.foreign.in_noscript() }
    }

    /// Whether a library would run what is printed here as code, although it is none of its literals, as JSON would be.
    pub(in super::super) fn is_run(&self, json: bool) -> bool {
        let State::Quoted { kind, .. } = self.state else { return false };
        let is_literal = || json && matches!(self.script.stand(Role::Code), Stand::OnlyJson(..));
        match kind {
            Kind::Expression => !is_literal() || gives_power(&self.attribute),
            // They may begin with what makes code of them, and a quote ends a string of theirs.
            Kind::Settings => !json,
            Kind::Plain | Kind::Meta | Kind::Choice | Kind::Url | Kind::Images => false,
            Kind::Code | Kind::Style | Kind::Document => false,
        }
    }

    /// Whether a library takes what is printed here for markup or for an address, whatever form it has.
    pub(in super::super) fn is_powerful(&self) -> bool {
        matches!(self.state, State::Quoted { kind: Kind::Expression, .. }) && gives_power(&self.attribute)
    }

    /// Whether browsers act by the `content` or the `href` of the tag at hand.
    pub(super) fn power(&self) -> Power {
        self.said.power(local_name(&self.element))
    }

    /// Whether the URL at hand says where a script comes from, or what else may shape the page.
    fn chooses_code(&self) -> bool {
        match local_name(&self.element) {
            "script" | "base" => true,
            "link" => self.power() == Power::Acts,
            _ => false,
        }
    }

    /// Whether this is within the URL of a script, or in what the URLs of scripts begin with.
    pub(in super::super) fn names_script(&self) -> bool {
        let is_url = matches!(self.state, State::Quoted { kind: Kind::Url, .. });
        is_url && matches!(local_name(&self.element), "script" | "base")
    }

    /// Whether the URL at hand is where browsers go next by themselves.
    fn sends_on(&self) -> bool {
        local_name(&self.element) == "meta" && self.power() == Power::Acts
    }

    /// Whether a list of images begins here.
    pub(in super::super) fn begins_list(&self) -> bool {
        matches!(self.state, State::Quoted { kind: Kind::Images, .. }) && self.url.is_untouched()
    }
}

/// Attributes whose values are markup, or may be scripts.
const POWERFUL: [&str; 7] = ["action", "formaction", "href", "innerhtml", "src", "srcdoc", "xlink:href"];

/// Whether what the expression of this attribute gives is markup to a library, or the value of an attribute that may be a script: then
/// a literal is no better.
fn gives_power(attribute: &str) -> bool {
    if ["x-html", "v-html"].contains(&attribute) {
        return true;
    }
    let bound = ["x-bind:", "v-bind:", ":", "["].iter().find_map(|prefix| attribute.strip_prefix(prefix));
    let name = bound.unwrap_or_default().trim_end_matches(']').split('.').next().unwrap_or_default();
    POWERFUL.contains(&name)
}
