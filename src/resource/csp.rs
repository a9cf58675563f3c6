//! The `Content-Security-Policy` of a page: derived from what its markup needs, and what an author adds to that.
//!
//! What data may fill in is allowed as far as escaping lets it come: a value printed into `src` of an image may be any URL of the web.
//! A script's address never comes from data, and nothing inline runs of which the digest is not known.

use super::code;
use crate::config::{BAD_VALUE, Decode, Described, Node, OneOrMany, PLACEHOLDER_NOT_READ, Schema, declare, wrong_type};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::fields::{self, ContentSecurityPolicy, SourceError, check_source};
use crate::render::{Needs, ObstacleKind, Origin, Use};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, HeaderMap, HeaderName};
use std::borrow::Cow;
use std::collections::BTreeSet;

declare! {
    /// What is added to the `Content-Security-Policy` of pages, which is derived from their layouts. Each key is a directive and takes sources
    /// as HTTP writes them: `script-src = ["https://cdn.example.com"]`. The one source `'none'` takes all others away.
    pub struct Additions {
        /// For whatever has no directive of its own in the policy, and for what is derived of those that have.
        "default-src": default_src: OneOrMany<Spanned<String>>,
        /// From where scripts come, and which run inline.
        "script-src": script_src: OneOrMany<Spanned<String>>,
        /// From where `<script>` elements load, and which run inline; without it, as `script-src` says.
        "script-src-elem": script_src_elem: OneOrMany<Spanned<String>>,
        /// Which `on…` attributes run; without it, as `script-src` says.
        "script-src-attr": script_src_attr: OneOrMany<Spanned<String>>,
        /// From where style sheets come, and which hold inline.
        "style-src": style_src: OneOrMany<Spanned<String>>,
        /// From where `<link>` elements load style sheets, and which `<style>` elements hold; without it, as `style-src` says.
        "style-src-elem": style_src_elem: OneOrMany<Spanned<String>>,
        /// Which `style` attributes hold; without it, as `style-src` says.
        "style-src-attr": style_src_attr: OneOrMany<Spanned<String>>,
        /// From where images come.
        "img-src": img_src: OneOrMany<Spanned<String>>,
        /// From where fonts come.
        "font-src": font_src: OneOrMany<Spanned<String>>,
        /// From where sound and film come.
        "media-src": media_src: OneOrMany<Spanned<String>>,
        /// What scripts may fetch, and where they may connect to.
        "connect-src": connect_src: OneOrMany<Spanned<String>>,
        /// Which pages may stand within the page.
        "frame-src": frame_src: OneOrMany<Spanned<String>>,
        /// Which pages may stand within the page, and from where workers come.
        "child-src": child_src: OneOrMany<Spanned<String>>,
        /// From where workers come.
        "worker-src": worker_src: OneOrMany<Spanned<String>>,
        /// From where the manifest comes.
        "manifest-src": manifest_src: OneOrMany<Spanned<String>>,
        /// What `<object>` and `<embed>` may show.
        "object-src": object_src: OneOrMany<Spanned<String>>,
        /// What `<base>` may say.
        "base-uri": base_uri: OneOrMany<Spanned<String>>,
        /// Where forms may be sent.
        "form-action": form_action: OneOrMany<Spanned<String>>,
        /// Which pages may show this one within them.
        "frame-ancestors": frame_ancestors: OneOrMany<Spanned<String>>,
        /// What a page in a sandbox may do: `"allow-scripts"`.
        "sandbox": sandbox: OneOrMany<Spanned<String>>,
        /// The names of the policies that make trusted types.
        "trusted-types": trusted_types: OneOrMany<Spanned<String>>,
        /// Where only trusted types are taken: `"'script'"`.
        "require-trusted-types-for": require_trusted_types_for: OneOrMany<Spanned<String>>,
        /// Where browsers report what they have refused: a URL.
        "report-uri": report_uri: OneOrMany<Spanned<String>>,
        /// The same: the name of a group of `Reporting-Endpoints`.
        "report-to": report_to: OneOrMany<Spanned<String>>,
        /// Whether browsers ask for `https` where the page says `http`; default `false`.
        "upgrade-insecure-requests": upgrade_insecure_requests: Spanned<bool>,
        /// Whether nothing is refused and all is reported; default `false`.
        "report-only": report_only: Spanned<bool>,
    }
}

/// What an author says of the policy.
#[derive(Debug, Clone)]
pub enum Decl {
    /// `false`: none is sent.
    Off,
    /// `true`: the derived one.
    Derived,
    /// A whole policy, instead of the derived one.
    Written(Spanned<String>),
    /// What is added to the derived one.
    Added(Box<Additions>),
}

impl Described for Decl {
    fn schema() -> Schema {
        let policy = Schema::text("a whole policy, instead of the derived one", None);
        Schema::Either(vec![Schema::Boolean, policy, Additions::schema()])
    }
}

impl Decode for Decl {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if node.is_false() {
            return Some(Self::Off);
        }
        if matches!(node.kind, crate::config::Kind::Bool(true)) {
            return Some(Self::Derived);
        }
        if node.as_text().is_some() {
            return Spanned::decode(node, findings).map(Self::Written);
        }
        if node.as_table().is_some() {
            return Additions::decode(node, findings).map(|additions| Self::Added(Box::new(additions)));
        }
        findings.push(wrong_type(node, "a table"));
        None
    }
}

impl Decl {
    /// Where it is written, if it says anything.
    pub fn place(&self) -> Option<crate::diagnostic::Place> {
        match self {
            Self::Off | Self::Derived => None,
            Self::Written(text) => Some(text.place),
            Self::Added(additions) => Some(additions.place),
        }
    }
}

/// The policy of a route: what is to be sent, whatever its pages need.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Csp {
    mode: Mode,
    report_only: bool,
    /// Directives and sources that are added, in the order of the reference.
    added: Vec<(&'static str, Vec<String>)>,
    upgrades: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
enum Mode {
    #[default]
    Derived,
    Off,
    Written(HeaderValue),
}

/// A field that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyField {
    name: HeaderName,
    value: HeaderValue,
}

impl PolicyField {
    /// For a page without any script, and with nothing that is loaded from elsewhere.
    pub fn strict() -> Self {
        Self { name: CONTENT_SECURITY_POLICY, value: HeaderValue::from_static(ContentSecurityPolicy::STRICT) }
    }

    /// Adds it to the fields of an answer.
    pub fn insert(&self, fields: &mut HeaderMap) {
        fields.insert(self.name.clone(), self.value.clone());
    }

    /// Its bytes, for whoever must notice that it changed.
    pub fn digest(&self, hasher: &mut blake3::Hasher) {
        hasher.update(self.name.as_str().as_bytes());
        hasher.update(&(self.value.len() as u64).to_le_bytes());
        hasher.update(self.value.as_bytes());
    }
}

/// What is known of a page besides its markup.
pub struct Surroundings<'s> {
    /// Scheme, host and port of `site.url`.
    pub site: Option<&'s str>,
    /// Whether its data may hold markup that was cleaned: images may be in it, and nothing else that is loaded.
    pub has_cleaned_markup: bool,
    /// The values of paths such as `vars.cdn` that are the same for every request.
    pub known: &'s dyn Fn(&[String]) -> Option<String>,
}

impl Csp {
    /// What `csp` says; without it, the derived policy.
    pub fn compile(decl: Option<&Decl>, findings: &mut Findings) -> Self {
        match decl {
            None | Some(Decl::Derived) => Self::default(),
            Some(Decl::Off) => Self { mode: Mode::Off, ..Self::default() },
            Some(Decl::Written(text)) => match HeaderValue::from_str(text.value.trim()) {
                Ok(value) if !value.is_empty() => Self { mode: Mode::Written(value), ..Self::default() },
                Ok(_) | Err(_) => {
                    let message = "not a policy, or not on one line";
                    let help =
                        "csp = \"default-src 'self'\", or leave `csp` out: the policy is derived from the layouts";
                    findings.push(Finding::new(&BAD_VALUE, text.place, message).help(help));
                    Self::default()
                }
            },
            Some(Decl::Added(additions)) => Self {
                mode: Mode::Derived,
                report_only: additions.report_only.is_some_and(|flag| flag.value),
                added: added(additions, findings),
                upgrades: additions.upgrade_insecure_requests.is_some_and(|flag| flag.value),
            },
        }
    }

    /// The field for a page that needs this; none if none is to be sent.
    pub fn field(&self, needs: &[&Needs], around: &Surroundings<'_>) -> Option<PolicyField> {
        let value = match &self.mode {
            Mode::Off => return None,
            Mode::Written(value) => value.clone(),
            // Each of its words was checked; what could not be sent is never left out.
            Mode::Derived => HeaderValue::from_str(&self.policy(needs, around).to_string())
                .unwrap_or(HeaderValue::from_static(ContentSecurityPolicy::STRICT)),
        };
        let name = if self.report_only { CONTENT_SECURITY_POLICY_REPORT_ONLY } else { CONTENT_SECURITY_POLICY };
        Some(PolicyField { name, value })
    }

    /// Whether what would only run if everything inline could is refused.
    pub fn refuses(&self, kind: ObstacleKind) -> bool {
        let directive = match kind {
            ObstacleKind::Script => "script-src-elem",
            ObstacleKind::Style => "style-src-elem",
            ObstacleKind::Handler => "script-src-attr",
            ObstacleKind::StyleAttribute => "style-src-attr",
            ObstacleKind::ScriptUrl => "script-src",
        };
        // What is written by hand its author answers for.
        self.mode == Mode::Derived && !self.extended(ContentSecurityPolicy::strict()).lets_anything_inline(directive)
    }

    /// Whether an inline script or style of the author's, which is always the same, is refused all the same: what is added takes its digest
    /// away.
    pub fn takes_away(&self, kind: ObstacleKind) -> bool {
        let (derived, directive) =
            if kind.is_script() { ("script-src", "script-src-elem") } else { ("style-src", "style-src-elem") };
        let digest = fields::digest_source("");
        let mut policy = ContentSecurityPolicy::strict();
        policy.allow(derived, &digest);
        let policy = self.extended(policy);
        let is_listed = policy.sources(directive).contains(digest.as_str());
        self.mode == Mode::Derived && !is_listed && !policy.lets_anything_inline(directive)
    }

    /// Whether nothing is refused, and all is reported.
    pub fn reports_only(&self) -> bool {
        self.report_only
    }

    fn policy(&self, needs: &[&Needs], around: &Surroundings<'_>) -> ContentSecurityPolicy {
        self.extended(derived(needs, around))
    }

    fn extended(&self, mut policy: ContentSecurityPolicy) -> ContentSecurityPolicy {
        for (directive, sources) in &self.added {
            for source in sources {
                if *directive == "default-src" {
                    policy.allow_by_default(source);
                } else {
                    policy.allow(directive, source);
                }
            }
        }
        if self.upgrades {
            policy.switch_on("upgrade-insecure-requests");
        }
        policy
    }
}

/// The policy that lets a page have what its markup needs, and nothing else.
fn derived(needs: &[&Needs], around: &Surroundings<'_>) -> ContentSecurityPolicy {
    let mut policy = ContentSecurityPolicy::strict();
    let printed = |needs: &Needs| {
        let values = needs.printed_raw().filter_map(|path| (around.known)(path));
        values.map(|value| Needs::of_html(&value)).collect::<Vec<_>>()
    };
    let printed: Vec<Needs> = needs.iter().flat_map(|needs| printed(needs)).collect();
    let all = || needs.iter().copied().chain(&printed);
    let mut origins: BTreeSet<(Use, Origin)> = all().flat_map(|needs| needs.origins(around.known)).collect();
    let frames: BTreeSet<&str> = all().flat_map(Needs::frames).collect();
    origins.extend(all().flat_map(|needs| needs.origins_within(&frames, around.known)));
    let of_base = |wanted: Use| origins.iter().filter(move |(of, _)| *of == wanted).map(|(_, origin)| origin);
    let bases: Vec<&Origin> = of_base(Use::Base).filter(|origin| **origin != Origin::Own).collect();
    // An object may run scripts: none from wherever data says.
    let is_anywhere = |origin: &Origin| matches!(origin, Origin::Anywhere | Origin::Scheme(_));
    for (of, origin) in origins.iter().filter(|(of, origin)| !(*of == Use::Object && is_anywhere(origin))) {
        for directive in directives(*of) {
            allow(&mut policy, directive, origin, around);
            // What is relative is loaded from where the base says.
            if *origin == Origin::Own && *of != Use::Base {
                for base in &bases {
                    allow(&mut policy, directive, base, around);
                }
            }
        }
    }
    if all().any(Needs::has_scripts) {
        allow(&mut policy, "script-src", &Origin::Own, around);
    }
    if around.has_cleaned_markup || all().any(Needs::has_markup_of_requests) {
        allow(&mut policy, "img-src", &Origin::Anywhere, around);
    }
    // Style sheets often hold small images and fonts themselves; neither runs anything.
    if all().any(Needs::has_styles) {
        policy.allow("img-src", "data:");
        policy.allow("font-src", "data:");
    }
    all().flat_map(Needs::scripts).for_each(|digest| policy.allow("script-src", digest));
    all().flat_map(Needs::styles).for_each(|digest| policy.allow("style-src", digest));
    policy
}

/// The directives that decide over a use. A style sheet brings the fonts and images that lie beside it.
fn directives(of: Use) -> &'static [&'static str] {
    match of {
        Use::Base => &["base-uri"],
        Use::Connection => &["connect-src"],
        Use::Font => &["font-src"],
        Use::Form => &["form-action"],
        Use::Frame => &["frame-src"],
        Use::Image => &["img-src"],
        Use::Manifest => &["manifest-src"],
        Use::Media => &["media-src"],
        // What they show may be a page.
        Use::Object => &["object-src", "frame-src"],
        Use::Script => &["script-src"],
        Use::Style => &["style-src", "font-src", "img-src"],
    }
}

fn allow(policy: &mut ContentSecurityPolicy, directive: &'static str, origin: &Origin, around: &Surroundings<'_>) {
    let source: Cow<'_, str> = match origin {
        Origin::Own => {
            // What speaks for it allows that already, except where it says `'none'`.
            if policy.sources(directive).contains("'self'") {
                return;
            }
            "'self'".into()
        }
        Origin::Site => match around.site.filter(|site| check_source(site).is_ok()) {
            Some(site) => site.into(),
            None => return,
        },
        // So does a base, which says where scripts come from.
        Origin::Anywhere | Origin::Scheme(_) if directive == "base-uri" => return,
        Origin::Anywhere => {
            policy.allow(directive, "http:");
            "https:".into()
        }
        Origin::Scheme(scheme) => scheme.into(),
        Origin::Host(host) => host.into(),
    };
    policy.allow(directive, &source);
}

/// The directives that are written, and their sources as far as they are sound.
fn added(additions: &Additions, findings: &mut Findings) -> Vec<(&'static str, Vec<String>)> {
    let all = [
        ("default-src", &additions.default_src),
        ("script-src", &additions.script_src),
        ("script-src-elem", &additions.script_src_elem),
        ("script-src-attr", &additions.script_src_attr),
        ("style-src", &additions.style_src),
        ("style-src-elem", &additions.style_src_elem),
        ("style-src-attr", &additions.style_src_attr),
        ("img-src", &additions.img_src),
        ("font-src", &additions.font_src),
        ("media-src", &additions.media_src),
        ("connect-src", &additions.connect_src),
        ("child-src", &additions.child_src),
        ("frame-src", &additions.frame_src),
        ("worker-src", &additions.worker_src),
        ("manifest-src", &additions.manifest_src),
        ("object-src", &additions.object_src),
        ("base-uri", &additions.base_uri),
        ("form-action", &additions.form_action),
        ("frame-ancestors", &additions.frame_ancestors),
        ("sandbox", &additions.sandbox),
        ("trusted-types", &additions.trusted_types),
        ("require-trusted-types-for", &additions.require_trusted_types_for),
        ("report-uri", &additions.report_uri),
        ("report-to", &additions.report_to),
    ];
    let written = all.into_iter().filter_map(|(directive, written)| Some((directive, written.as_ref()?)));
    let sources = |directive: &str, written: &OneOrMany<Spanned<String>>, findings: &mut Findings| {
        let sound = written.0.iter().filter(|source| is_sound(directive, source, findings));
        sound.map(|source| source.value.clone()).collect::<Vec<String>>()
    };
    written.map(|(directive, written)| (directive, sources(directive, written, findings))).collect()
}

fn is_sound(directive: &str, source: &Spanned<String>, findings: &mut Findings) -> bool {
    let text = source.value.as_str();
    if text.contains('{') {
        let message = format!("a placeholder in a source of `{directive}`");
        let help = "the policy is known before the page is requested: write it out";
        findings.push(Finding::new(&PLACEHOLDER_NOT_READ, source.place, message).help(help));
        return false;
    }
    if let Err(error) = check_source(text) {
        let help = match error {
            SourceError::Separator => format!("write each source by itself: {directive} = [\"…\", \"…\"]"),
            SourceError::Unquoted => format!("write it in the quotes that it has in HTTP: \"'{text}'\""),
            SourceError::Unknown => {
                "words such as `'self'` and digests stand in quotes, hosts and schemes do not".into()
            }
            SourceError::Nonce => {
                "scripts that stand in layouts need nothing: their digests are sent; name the host of any other".into()
            }
        };
        let message = format!("`{text}` is not a source of `{directive}`: {error}");
        findings.push(Finding::new(&code::CSP_SOURCE, source.place, message).help(help));
        return false;
    }
    let runs_anything = ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:", "blob:"];
    let is_of_scripts = directive.starts_with("script-src") || directive == "default-src";
    if is_of_scripts && runs_anything.iter().any(|known| text.eq_ignore_ascii_case(known)) {
        let message = format!("`{text}` in `{directive}` lets scripts run that nobody here has written");
        findings.push(Finding::new(&code::CSP_LOOSE, source.place, message));
    }
    true
}
