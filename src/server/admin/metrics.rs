//! `GET /metrics`: what was counted, in the text format of Prometheus, version 0.0.4.
//!
//! What it costs is paid by who asks. A series stands for something that the site declares; one of a route or a source appears when it is
//! first asked.

use super::{Watched, of_type};
use crate::handler::{CacheOutcome, Histogram, KeptOutcome, RouteMeter, STATUS_CLASSES, Service};
use crate::source::Kind;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use std::fmt::{Display, Write as _};
use std::time::{Instant, SystemTime};

/// The answer.
pub(super) fn response(watched: &Watched) -> Response<Full<Bytes>> {
    let service = watched.current.service();
    let mut page = Page::default();
    page.process(watched);
    page.store(&service);
    page.routes(&service);
    page.upstreams(&service);
    of_type("text/plain; version=0.0.4; charset=utf-8", page.0)
}

/// The text so far.
#[derive(Debug, Default)]
struct Page(String);

/// The name of a label and its value.
type Label<'l> = (&'static str, &'l str);

const OUTCOMES: [Option<CacheOutcome>; 4] =
    [Some(CacheOutcome::Hit), Some(CacheOutcome::Stale), Some(CacheOutcome::Miss), None];

impl Page {
    fn process(&mut self, watched: &Watched) {
        let history = watched.current.history();
        self.begin("siteserver_build_info", "gauge", "The version that runs.");
        self.sample("siteserver_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        let began = history.began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.begin("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.");
        self.sample("process_start_time_seconds", &[], format_args!("{:.3}", began.as_secs_f64()));
        self.begin("siteserver_connections", "gauge", "Connections of visitors that are open.");
        self.sample("siteserver_connections", &[], watched.census.connections());
        self.begin(
            "siteserver_access_log_dropped_total",
            "counter",
            "Lines of the access log that its output was too slow for.",
        );
        self.sample("siteserver_access_log_dropped_total", &[], watched.log.dropped());
        self.begin(
            "siteserver_reloads_total",
            "counter",
            "Reloads, by which site is served after them: the new one, or the one from before.",
        );
        for (result, count) in ["served", "kept"].into_iter().zip(history.reloads()) {
            self.sample("siteserver_reloads_total", &[("result", result)], count);
        }
    }

    fn store(&mut self, service: &Service) {
        let stored = service.runtime().stored();
        self.begin("siteserver_store_entries", "gauge", "Pages in the page store.");
        self.sample("siteserver_store_entries", &[], stored.entries);
        self.begin("siteserver_store_bytes", "gauge", "Bytes that they take.");
        self.sample("siteserver_store_bytes", &[], stored.bytes);
        self.begin("siteserver_store_capacity_bytes", "gauge", "Bytes that they may take.");
        self.sample("siteserver_store_capacity_bytes", &[], service.runtime().capacity());
        let data = service.runtime().data();
        self.begin("siteserver_data_entries", "gauge", "Answers of upstreams whose data is kept as it was read.");
        self.sample("siteserver_data_entries", &[], data.entries);
        self.begin("siteserver_data_bytes", "gauge", "Bytes that it takes.");
        self.sample("siteserver_data_bytes", &[], data.bytes);
        self.begin("siteserver_data_capacity_bytes", "gauge", "Bytes that it may take.");
        self.sample("siteserver_data_capacity_bytes", &[], service.runtime().data_capacity());
    }

    fn routes(&mut self, service: &Service) {
        let meters = service.meters();
        let names = service.site().routes.iter().map(|route| &*route.name);
        let all = names.zip(&meters.routes).chain(std::iter::once(("", &meters.nowhere)));
        let asked: Vec<(&str, &RouteMeter)> = all
            .map(|(name, meter)| (name, &**meter))
            .filter(|(_, meter)| meter.answers().iter().any(|count| *count > 0) || is_used(&meter.making))
            .collect();
        self.begin(
            "siteserver_requests_total",
            "counter",
            "Answers that were sent, by route (none: no route answered) and class of status.",
        );
        for (route, meter) in &asked {
            for (status, count) in STATUS_CLASSES.into_iter().zip(meter.answers()).filter(|(_, count)| *count > 0) {
                self.sample("siteserver_requests_total", &[("route", route), ("status", status)], count);
            }
        }
        self.begin(
            "siteserver_page_store_total",
            "counter",
            "What the page store did for a request: hit, stale, miss, or it was not asked (uncached).",
        );
        for (route, meter) in &asked {
            for outcome in OUTCOMES {
                let word = outcome.map_or("uncached", CacheOutcome::word);
                let labels = [("route", *route), ("outcome", word)];
                self.sample("siteserver_page_store_total", &labels, meter.outcomes(outcome));
            }
        }
        self.each(
            &asked,
            "siteserver_collapsed_total",
            "Requests that waited for a page which another one was having made.",
            |meter| meter.collapsed.get(),
        );
        self.each(&asked, "siteserver_sent_bytes_total", "Bytes of content that were sent.", |meter| meter.sent.get());
        self.each(
            &asked,
            "siteserver_withheld_total",
            "Pages that were not sent because they held a secret.",
            |meter| meter.withheld.get(),
        );
        self.each(
            &asked,
            "siteserver_crowded_out_total",
            "Stored pages that made room for other variants of their URLs.",
            |meter| meter.crowded_out.get(),
        );
        self.begin(
            "siteserver_renders_total",
            "counter",
            "Pages that were rendered, and those that were not because nothing that they are made of had changed (unchanged).",
        );
        for (route, meter) in &asked {
            for (outcome, counter) in [("rendered", &meter.rendered), ("unchanged", &meter.unchanged)] {
                self.sample("siteserver_renders_total", &[("route", route), ("outcome", outcome)], counter.get());
            }
        }
        self.begin(
            "siteserver_request_seconds",
            "histogram",
            "From a request's arrival until the last byte of its answer was sent.",
        );
        for (route, meter) in &asked {
            self.histogram("siteserver_request_seconds", ("route", route), &meter.answering);
        }
        self.begin(
            "siteserver_fill_seconds",
            "histogram",
            "The making of pages, for those who wait or in the background.",
        );
        for (route, meter) in asked.iter().filter(|(_, meter)| is_used(&meter.making)) {
            self.histogram("siteserver_fill_seconds", ("route", route), &meter.making);
        }
    }

    fn each(&mut self, routes: &[(&str, &RouteMeter)], name: &str, help: &str, value: impl Fn(&RouteMeter) -> u64) {
        self.begin(name, "counter", help);
        for (route, meter) in routes {
            self.sample(name, &[("route", route)], value(meter));
        }
    }

    fn upstreams(&mut self, service: &Service) {
        let (site, meters) = (service.site(), service.meters());
        self.begin(
            "siteserver_upstream_calls_total",
            "counter",
            "Calls that sources made, by what was answered, or why nothing was.",
        );
        let all = site.routes.iter().zip(&meters.sources).flat_map(|(route, sources)| {
            let called = route.sources.iter().zip(sources);
            called.filter_map(|(planned, meter)| {
                let Kind::Http(http) = &planned.source.kind else { return None };
                let upstream = site.upstreams.get(http.upstream)?;
                Some((&*upstream.name, &*route.name, planned.source.name.value.as_str(), meter))
            })
        });
        let all: Vec<_> = all.collect();
        for (upstream, route, source, meter) in &all {
            for (outcome, count) in meter.outcomes() {
                let labels = [("upstream", *upstream), ("route", *route), ("source", *source), ("outcome", outcome)];
                self.sample("siteserver_upstream_calls_total", &labels, count);
            }
        }
        self.begin(
            "siteserver_source_bodies_total",
            "counter",
            "Bodies that were read, and those that were not because the same bytes had been read before (unchanged).",
        );
        for (upstream, route, source, meter) in &all {
            for (outcome, counter) in [("read", &meter.read), ("unchanged", &meter.unchanged)] {
                let labels = [("upstream", *upstream), ("route", *route), ("source", *source), ("outcome", outcome)];
                if meter.read.get() > 0 || meter.unchanged.get() > 0 {
                    self.sample("siteserver_source_bodies_total", &labels, counter.get());
                }
            }
        }
        let name = "siteserver_source_store_total";
        self.begin(name, "counter", "What the store did for sources that keep what they are answered.");
        for (upstream, route, source, meter) in &all {
            let counts = KeptOutcome::ALL.map(|outcome| (outcome.word(), meter.kept_outcomes(outcome)));
            for (outcome, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                let labels = [("upstream", *upstream), ("route", *route), ("source", *source), ("outcome", outcome)];
                self.sample(name, &labels, count);
            }
        }
        self.begin("siteserver_upstream_call_seconds", "histogram", "Calls of an upstream, further attempts included.");
        for (upstream, meter) in site.upstreams.all().iter().zip(&meters.upstreams).filter(|(_, meter)| is_used(meter))
        {
            self.histogram("siteserver_upstream_call_seconds", ("upstream", &upstream.name), meter);
        }
        self.begin(
            "siteserver_upstream_breaker_open",
            "gauge",
            "Whether an upstream is left alone because its last calls failed: 0 or 1.",
        );
        for (upstream, is_open) in site.upstreams.all().iter().zip(service.breakers(Instant::now())) {
            if let Some(is_open) = is_open {
                self.sample("siteserver_upstream_breaker_open", &[("upstream", &upstream.name)], u8::from(is_open));
            }
        }
        let name = "siteserver_upstream_address_aside";
        self.begin(name, "gauge", "Whether an address of an upstream is left alone because it failed: 0 or 1.");
        for (upstream, addresses) in site.upstreams.all().iter().zip(service.addresses(Instant::now())) {
            for (address, is_aside) in addresses {
                let labels = [("upstream", &*upstream.name), ("address", &address.to_string())];
                self.sample(name, &labels, u8::from(is_aside));
            }
        }
    }

    fn histogram(&mut self, name: &str, label: Label<'_>, histogram: &Histogram) {
        let mut so_far = 0;
        let bounds = Histogram::BOUNDS.into_iter().map(Some).chain([None]);
        for (bound, count) in bounds.zip(histogram.counts()) {
            so_far += count;
            let bound = bound.map_or_else(|| "+Inf".to_owned(), seconds);
            self.sample(&format!("{name}_bucket"), &[label, ("le", &bound)], so_far);
        }
        self.sample(&format!("{name}_sum"), &[label], format_args!("{:.6}", histogram.sum().as_secs_f64()));
        self.sample(&format!("{name}_count"), &[label], so_far);
    }

    /// The head of a family of series.
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap_or_default();
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        self.0.push_str(name);
        for (place, (label, value)) in labels.iter().enumerate() {
            self.0.push(if place == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            escape(value, &mut self.0);
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        writeln!(self.0, " {value}").unwrap_or_default();
    }
}

fn is_used(histogram: &Histogram) -> bool {
    histogram.counts().iter().any(|count| *count > 0)
}

/// A bound in seconds, without needless zeros.
fn seconds(microseconds: u64) -> String {
    let text = format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A label's value as it is written.
fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_one_line_whatever_its_labels_hold() {
        let mut page = Page::default();
        page.sample("a", &[], 1);
        page.sample("b", &[("route", "a\"b\\c\nd"), ("le", "+Inf")], 2);
        assert_eq!(page.0, "a 1\nb{route=\"a\\\"b\\\\c\\nd\",le=\"+Inf\"} 2\n");
    }

    #[test]
    fn bounds_are_in_seconds_and_counts_add_up() {
        let histogram = Histogram::default();
        let mut page = Page::default();
        page.histogram("t", ("route", "r"), &histogram);
        let bounds: Vec<&str> =
            page.0.lines().filter_map(|line| line.split("le=\"").nth(1)?.split('"').next()).collect();
        assert_eq!(bounds, ["0.0005", "0.002", "0.01", "0.05", "0.2", "1", "5", "20", "+Inf"]);
        assert!(page.0.ends_with("t_sum{route=\"r\"} 0.000000\nt_count{route=\"r\"} 0\n"), "{}", page.0);
    }
}
