//! Filter `geoip`: tells where addresses are, and whose, from a database in MaxMind's format (logstash-filter-geoip).

mod database;
mod field;
mod record;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::event::{Event, FieldReference, Object, SetError, Value};
use crate::plugin::{
    Build, EcsMode, Emit, Example, Filter, Kind as PluginKind, OptionReader, Outcome, Problem, Spec, choices,
    options,
};

use database::Database;
use field::Field;

/// The tag of events that pass without a database (geoip.rb).
const EXPIRED: &str = "_geoip_expired_database";

pub static SPEC: Spec = Spec {
    kind: PluginKind::Filter,
    name: "geoip",
    summary: "Tells where addresses are, and whose, from a database in MaxMind's format.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        // A database with one made-up city, so that the example runs.
        config: r#"filter { geoip { source => "[client][ip]" database => "fixtures/geoip/city.mmdb" fields => ["city_name", "location"] } }"#,
        input: &[r#"{"client":{"ip":"192.0.2.1"}}"#, r#"{"client":{"ip":"10.0.0.1"}}"#],
        output: &[
            r#"{"client":{"ip":"192.0.2.1","geo":{"city_name":"Springfield","location":{"lat":44.05,"lon":-123.02}}}}"#,
            r#"{"client":{"ip":"10.0.0.1"},"tags":["_geoip_lookup_failure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(GeoIp::build(reader)?))),
};

choices! {
    pub enum DefaultDatabase {
        City = "City",
        Asn = "ASN",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// File of a database in MaxMind's format (`.mmdb`), such as GeoLite2-City. None comes along, and none is
        /// downloaded. Default: the one that a Logstash has downloaded into the same path.data, or that geoipupdate keeps
        /// in `/usr/share/GeoIP` or `/var/lib/GeoIP`. Where there is none, events get the tag `_geoip_expired_database`.
        database: Option<PathBuf>,
        /// Which database to look for where none is given.
        default_database_type: DefaultDatabase = "City",
        /// Field that holds the address. Of an array the first element counts.
        source: FieldReference,
        /// What to tell, in place of what is usual for the database: names such as `city_name` or `network`.
        fields: Option<Vec<String>>,
        /// Field that gets what is told. With ECS, if the source is `[client][ip]`, it is `[client]`; else it is
        /// required. Without ECS it is `geoip`.
        target: Option<FieldReference>,
        /// How many addresses are kept with what was found.
        cache_size: usize = 1000,
        /// Tags added when the database does not know the address.
        tag_on_failure: Vec<String> = ["_geoip_lookup_failure"],
    }
}

struct GeoIp {
    source: FieldReference,
    target: FieldReference,
    ecs: EcsMode,
    fields: Vec<Field>,
    /// `None` where there is none to be found.
    database: Option<Arc<Database>>,
    known: Option<Cache<IpAddr, Option<Arc<Found>>>>,
    tag_on_failure: Vec<String>,
}

/// What is told of an address.
#[derive(Debug)]
struct Found {
    /// As one object, to be put where there is none.
    object: Object,
    /// One by one, to be set into what there is.
    leaves: Vec<(FieldReference, Value)>,
}

/// An event whose address cannot be looked up.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("expected the source to be an address or an array of some, it is a {0}")]
    NoText(&'static str),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl GeoIp {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let ecs = reader.ecs();
        let target = target(&options, reader);
        let database = open(&options, reader)?;
        let fields = match &options.fields {
            Some(names) if !names.is_empty() => chosen_fields(names, reader)?,
            _ => database.as_ref().map(|database| database.kind.default_fields(ecs)).unwrap_or_default(),
        };
        Some(GeoIp {
            source: options.source,
            target: target?,
            ecs,
            fields,
            database,
            known: (options.cache_size > 0).then(|| Cache::new(options.cache_size)),
            tag_on_failure: options.tag_on_failure,
        })
    }

    fn run(&self, event: &mut Event) -> Result<bool, Failure> {
        let source = match event.get(&self.source) {
            Some(Value::Array(items)) => items.first().unwrap_or(&Value::Null),
            None | Some(Value::Null) => return Ok(false),
            Some(value) => value,
        };
        let Value::Str(text) = source else { return Err(Failure::NoText(source.kind())) };
        if text.trim().is_empty() {
            return Ok(false);
        }
        let found = parse_address(text).and_then(|address| self.look_up(address));
        if event.get(&self.target).is_none_or(Value::is_null) {
            // Where nothing was found, an empty object stays.
            let object = found.as_ref().map(|found| found.object.clone()).unwrap_or_default();
            event.assign(&self.target, object)?;
            return Ok(found.is_some());
        }
        match found {
            Some(found) => {
                found.set_into(event, &self.target)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn look_up(&self, address: IpAddr) -> Option<Arc<Found>> {
        let Some(known) = &self.known else { return self.read(address) };
        known.get(&address).unwrap_or_else(|| {
            let found = self.read(address);
            known.insert(address, found.clone());
            found
        })
    }

    fn read(&self, address: IpAddr) -> Option<Arc<Found>> {
        let values = self.database.as_ref()?.find(address, &self.fields).unwrap_or_else(|error| {
            tracing::error!(%address, %error, "could not read the geoip database");
            Vec::new()
        });
        if values.is_empty() {
            return None;
        }
        let mut found = Found { object: Object::new(), leaves: Vec::with_capacity(values.len()) };
        for (field, value) in values {
            let path = field.path(self.ecs);
            if path.is_empty() {
                continue;
            }
            insert(&mut found.object, path, value.clone());
            let reference = path.iter().fold(self.target.clone(), |parent, name| parent.child(name));
            found.leaves.push((reference, value));
        }
        Some(Arc::new(found))
    }
}

impl Found {
    /// Sets each field. Where nothing stands in the way, whole objects are put.
    fn set_into(&self, event: &mut Event, target: &FieldReference) -> Result<(), SetError> {
        let is_in_the_way = |there: &Object| {
            self.object.iter().any(|(name, value)| value.as_object().is_some() && there.contains_key(name))
        };
        if let Some(Value::Object(there)) = event.get_mut(target)
            && !is_in_the_way(there)
        {
            for (name, value) in self.object.iter() {
                there.insert(name, value.clone());
            }
            return Ok(());
        }
        self.leaves.iter().try_for_each(|(field, value)| event.assign(field, value.clone()))
    }
}

fn insert(object: &mut Object, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        object.insert(*first, value);
        return;
    }
    if !object.contains_key(first) {
        object.insert(*first, Value::from(Object::new()));
    }
    if let Some(Value::Object(inner)) = object.get_mut(first) {
        insert(inner, rest, value);
    }
}

/// Reads an address as Java's `InetAddress` does, without asking any name server: IPv6 may stand in brackets, and one
/// that only wraps an IPv4 address is that.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = match bare {
        Some(bare) => IpAddr::V6(bare.parse().ok()?),
        None => text.split('%').next()?.parse().ok()?,
    };
    Some(match address {
        IpAddr::V6(wrapped) => wrapped.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    })
}

/// The target of the config, or the parent of a source that is called `[ip]`.
fn target(options: &Options, reader: &mut OptionReader<'_>) -> Option<FieldReference> {
    const ECS_TARGETS: [&str; 6] = ["client", "destination", "host", "observer", "server", "source"];
    if !reader.ecs().is_enabled() {
        return Some(options.target.clone().unwrap_or_else(|| FieldReference::top_level("geoip")));
    }
    let target = match &options.target {
        Some(target) => target.clone(),
        None => {
            let source = reader.value("source").and_then(|source| source.as_single()?.scalar_text());
            let parent = source.as_deref().and_then(|source| source.strip_suffix("[ip]"));
            let parent = parent.filter(|parent| !parent.is_empty()).map(FieldReference::parse);
            let Some(Ok(parent)) = parent else {
                let message = "it is required, because the source is no field called [ip], such as [client][ip]; \
                               give target => \"client\", for example";
                reader.error("target", message);
                return None;
            };
            parent
        }
    };
    if target.as_top_level().is_none_or(|name| !ECS_TARGETS.contains(&name)) {
        let message = format!(
            "option \"target\" of the geoip filter: ECS expects it to be one of {}",
            ECS_TARGETS.join(", ")
        );
        reader.report(Problem::warning(reader.span("target"), message));
    }
    Some(target)
}

/// Opens the database. `Some(None)` stands for the want of one, which Logstash treats as an expired one: it runs.
fn open(options: &Options, reader: &mut OptionReader<'_>) -> Option<Option<Arc<Database>>> {
    let Some(path) = &options.database else {
        let name = match options.default_database_type {
            DefaultDatabase::City => "GeoLite2-City.mmdb",
            DefaultDatabase::Asn => "GeoLite2-ASN.mmdb",
        };
        let Some(path) = find(name, &reader.context.data_path) else {
            let message = format!(
                "there is no {name} here, and rstash downloads none: events get the tag {EXPIRED}. Get it from MaxMind \
                 (geoipupdate does that, and keeps it up to date) and give database => \"/usr/share/GeoIP/{name}\""
            );
            reader.warning("database", message);
            return Some(None);
        };
        tracing::info!(path = %path.display(), "using this geoip database");
        return Database::open(&path)
            .map_err(|error| reader.error("database", format!("{}: {error}", path.display())))
            .map(Some)
            .ok();
    };
    if reader.is_given("default_database_type") {
        let message =
            "option \"default_database_type\" of the geoip filter has no effect: the database is given";
        reader.report(Problem::warning(reader.span("default_database_type"), message).label("remove this"));
    }
    let opened = Database::open(path);
    opened.map_err(|error| reader.error("database", format!("{}: {error}", path.display()))).map(Some).ok()
}

/// A database that Logstash has downloaded (`geoip_database_management`), the newest; else one of geoipupdate.
fn find(name: &str, data_path: &Path) -> Option<PathBuf> {
    const USUAL: [&str; 3] = ["/usr/share/GeoIP", "/var/lib/GeoIP", "/usr/local/share/GeoIP"];
    let downloads = std::fs::read_dir(data_path.join("geoip_database_management"));
    let downloaded = downloads.into_iter().flatten().flatten().map(|entry| entry.path().join(name));
    let age = |path: &PathBuf| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    let newest = downloaded.filter(|path| path.is_file()).max_by_key(age);
    newest.or_else(|| USUAL.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file()))
}

fn chosen_fields(names: &[String], reader: &mut OptionReader<'_>) -> Option<Vec<Field>> {
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        match Field::parse(name) {
            Some(field) => fields.push(field),
            None => {
                reader.error("fields", format!("there is no field \"{name}\"; there are: {}", Field::names()))
            }
        }
    }
    (fields.len() == names.len()).then_some(fields)
}

impl Filter for GeoIp {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        if self.database.is_none() {
            event.tag(EXPIRED);
            return Outcome::Failed;
        }
        match self.run(event) {
            Ok(true) => Outcome::Matched,
            Ok(false) => {
                for tag in &self.tag_on_failure {
                    event.tag(tag);
                }
                Outcome::Failed
            }
            Err(error) => {
                // Logstash stops the pipeline here.
                tracing::warn!(%error, source = %self.source, "could not look an address up");
                event.tag("_geoiperror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod option_tests {
    use std::path::PathBuf;

    use super::find;

    use crate::plugin::testkit;

    #[test]
    fn options_that_are_wrong_are_named() {
        let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/geoip/city.mmdb");
        for (options, culprits) in [
            ("source => ip".to_owned(), ["\"target\"", "give target"]),
            (
                format!(
                    "source => ip target => host database => \"{}\" fields => [\"town\"]",
                    example.display()
                ),
                ["\"town\"", "city_name"],
            ),
            (
                "source => ip target => host database => \"/no/such.mmdb\"".into(),
                ["/no/such.mmdb", "No such file"],
            ),
        ] {
            let sources =
                crate::language::Sources::single("test", format!("filter {{ geoip {{ {options} }} }}"));
            let (plan, problems) =
                crate::pipeline::Plan::load(&sources, Default::default(), &testkit::context());
            let shown = crate::language::render_all(&problems, &sources, false);
            assert!(
                plan.is_none() && culprits.iter().all(|culprit| shown.contains(culprit)),
                "{options}:\n{shown}"
            );
        }
    }

    #[test]
    fn databases_of_logstash_are_found_the_newest_first() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(find("no-such.mmdb", data.path()), None);
        for (folder, days) in [("1700000000", 3), ("1710000000", 1), ("1690000000", 9)] {
            let folder = data.path().join("geoip_database_management").join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let file = std::fs::File::create(folder.join("GeoLite2-City.mmdb")).unwrap();
            let modified = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
            file.set_modified(modified).unwrap();
        }
        let found = find("GeoLite2-City.mmdb", data.path()).unwrap();
        assert!(found.ends_with("1710000000/GeoLite2-City.mmdb"), "{}", found.display());
    }

    #[test]
    fn without_a_database_events_pass_with_a_tag() {
        let data = tempfile::tempdir().unwrap();
        if find("GeoLite2-ASN.mmdb", data.path()).is_some() {
            // This machine has one where geoipupdate keeps it.
            return;
        }
        let context = crate::plugin::Context { data_path: data.path().to_owned(), ..testkit::context() };
        let config = "filter { geoip { source => ip target => host default_database_type => ASN } }";
        let (plan, problems) = crate::pipeline::Plan::load(
            &crate::language::Sources::single("test", config),
            Default::default(),
            &context,
        );
        assert!(
            plan.is_some() && problems.iter().any(|problem| problem.message.contains("GeoLite2-ASN.mmdb"))
        );
        let filter = super::GeoIp {
            source: crate::event::FieldReference::top_level("ip"),
            target: crate::event::FieldReference::top_level("host"),
            ecs: crate::plugin::EcsMode::V8,
            fields: Vec::new(),
            database: None,
            known: None,
            tag_on_failure: Vec::new(),
        };
        let mut event = testkit::event(r#"{"ip":"192.0.2.1"}"#);
        let outcome = super::Filter::filter(&filter, &mut event, &mut super::Emit::default());
        assert_eq!(outcome, super::Outcome::Failed);
        assert_eq!(testkit::fields(&event), r#"{"ip":"192.0.2.1","tags":["_geoip_expired_database"]}"#);
    }
}
