//! The names of CEF's fields: the full name, the short key, and the field of the Elastic Common Schema (the tables of
//! ArcSight's "Implementing Common Event Format", mapped as the documentation of logstash-codec-cef maps them).

use std::collections::HashMap;

use crate::event::FieldReference;
use crate::plugin::EcsMode;

/// How many custom numbers, strings, ... of a device there are.
const CUSTOM_FIELDS: usize = 15;

/// One field of CEF.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    /// Empty: the same as the name.
    key: &'static str,
    ecs: &'static str,
    /// An older name that is still read.
    legacy: &'static str,
    /// Whether this one is written where another has the same field of ECS.
    is_first: bool,
    is_time: bool,
}

const fn row(name: &'static str, key: &'static str, ecs: &'static str) -> Row {
    Row { name, key, ecs, legacy: "", is_first: false, is_time: false }
}

impl Row {
    const fn legacy(mut self, legacy: &'static str) -> Self {
        self.legacy = legacy;
        self
    }

    const fn first(mut self) -> Self {
        self.is_first = true;
        self
    }

    const fn time(mut self) -> Self {
        self.is_time = true;
        self
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("agentAddress", "agt", "[agent][ip]"),
    row("agentDnsDomain", "", "[cef][agent][registered_domain]").first(),
    row("agentHostName", "ahost", "[agent][name]"),
    row("agentId", "aid", "[agent][id]"),
    row("agentMacAddress", "amac", "[agent][mac]"),
    row("agentNtDomain", "", "[cef][agent][registered_domain]"),
    row("agentReceiptTime", "art", "[event][created]").time(),
    row("agentTimeZone", "atz", "[cef][agent][timezone]"),
    row("agentTranslatedAddress", "", "[cef][agent][nat][ip]"),
    row("agentTranslatedZoneExternalID", "", "[cef][agent][translated_zone][external_id]"),
    row("agentTranslatedZoneURI", "", "[cef][agent][translated_zone][uri]"),
    row("agentType", "at", "[agent][type]"),
    row("agentVersion", "av", "[agent][version]"),
    row("agentZoneExternalID", "", "[cef][agent][zone][external_id]"),
    row("agentZoneURI", "", "[cef][agent][zone][uri]"),
    row("applicationProtocol", "app", "[network][protocol]"),
    row("baseEventCount", "cnt", "[cef][base_event_count]"),
    row("bytesIn", "in", "[source][bytes]"),
    row("bytesOut", "out", "[destination][bytes]"),
    row("categoryDeviceType", "catdt", "[cef][device_type]"),
    row("customerExternalID", "", "[organization][id]"),
    row("customerURI", "", "[organization][name]"),
    row("destinationAddress", "dst", "[destination][ip]"),
    row("destinationDnsDomain", "", "[destination][registered_domain]").first(),
    row("destinationGeoLatitude", "dlat", "[destination][geo][location][lat]").legacy("destinationLatitude"),
    row("destinationGeoLongitude", "dlong", "[destination][geo][location][lon]").legacy("destinationLongitude"),
    row("destinationHostName", "dhost", "[destination][domain]"),
    row("destinationMacAddress", "dmac", "[destination][mac]"),
    row("destinationNtDomain", "dntdom", "[destination][registered_domain]"),
    row("destinationPort", "dpt", "[destination][port]"),
    row("destinationProcessId", "dpid", "[destination][process][pid]"),
    row("destinationProcessName", "dproc", "[destination][process][name]"),
    row("destinationServiceName", "", "[destination][service][name]"),
    row("destinationTranslatedAddress", "", "[destination][nat][ip]"),
    row("destinationTranslatedPort", "", "[destination][nat][port]"),
    row("destinationTranslatedZoneExternalID", "", "[cef][destination][translated_zone][external_id]"),
    row("destinationTranslatedZoneURI", "", "[cef][destination][translated_zone][uri]"),
    row("destinationUserId", "duid", "[destination][user][id]"),
    row("destinationUserName", "duser", "[destination][user][name]"),
    row("destinationUserPrivileges", "dpriv", "[destination][user][group][name]"),
    row("destinationZoneExternalID", "", "[cef][destination][zone][external_id]"),
    row("destinationZoneURI", "", "[cef][destination][zone][uri]"),
    row("deviceAction", "act", "[event][action]"),
    row("deviceAddress", "dvc", "[observer][ip]"),
    row("deviceDirection", "", "[network][direction]"),
    row("deviceDnsDomain", "", "[observer][registered_domain]").first(),
    row("deviceEventCategory", "cat", "[cef][category]"),
    row("deviceExternalId", "", "[observer][name]"),
    row("deviceFacility", "", "[log][syslog][facility][code]"),
    row("deviceHostName", "dvchost", "[observer][hostname]"),
    row("deviceInboundInterface", "", "[observer][ingress][interface][name]"),
    row("deviceMacAddress", "dvcmac", "[observer][mac]"),
    row("deviceNtDomain", "", "[cef][nt_domain]"),
    row("deviceOutboundInterface", "", "[observer][egress][interface][name]"),
    row("devicePayloadId", "", "[cef][payload_id]"),
    row("deviceProcessId", "dvcpid", "[process][pid]"),
    row("deviceProcessName", "", "[process][name]"),
    row("deviceReceiptTime", "rt", "@timestamp").time(),
    row("deviceTimeZone", "dtz", "[event][timezone]").legacy("destinationTimeZone"),
    row("deviceTranslatedAddress", "", "[host][nat][ip]"),
    row("deviceTranslatedZoneExternalID", "", "[cef][translated_zone][external_id]"),
    row("deviceTranslatedZoneURI", "", "[cef][translated_zone][uri]"),
    row("deviceVersion", "", "[observer][version]"),
    row("deviceZoneExternalID", "", "[cef][zone][external_id]"),
    row("deviceZoneURI", "", "[cef][zone][uri]"),
    row("endTime", "end", "[event][end]").time(),
    row("eventId", "", "[event][id]"),
    row("eventOutcome", "outcome", "[event][outcome]"),
    row("externalId", "", "[cef][external_id]"),
    row("fileCreateTime", "", "[file][created]"),
    row("fileHash", "", "[file][hash]"),
    row("fileId", "", "[file][inode]"),
    row("fileModificationTime", "", "[file][mtime]").time(),
    row("fileName", "fname", "[file][name]"),
    row("filePath", "", "[file][path]"),
    row("filePermission", "", "[file][group]"),
    row("fileSize", "fsize", "[file][size]"),
    row("fileType", "", "[file][extension]"),
    row("managerReceiptTime", "mrt", "[event][ingested]").time(),
    row("message", "msg", "[message]"),
    row("oldFileCreateTime", "", "[cef][old_file][created]").time(),
    row("oldFileHash", "", "[cef][old_file][hash]"),
    row("oldFileId", "", "[cef][old_file][inode]"),
    row("oldFileModificationTime", "", "[cef][old_file][mtime]").time(),
    row("oldFileName", "", "[cef][old_file][name]"),
    row("oldFilePath", "", "[cef][old_file][path]"),
    row("oldFilePermission", "", "[cef][old_file][group]"),
    row("oldFileSize", "", "[cef][old_file][size]"),
    row("oldFileType", "", "[cef][old_file][extension]"),
    row("rawEvent", "", "[event][original]"),
    row("Reason", "reason", "[event][reason]"),
    row("requestClientApplication", "", "[user_agent][original]"),
    row("requestContext", "", "[http][request][referrer]"),
    row("requestCookies", "", "[cef][request][cookies]"),
    row("requestMethod", "", "[http][request][method]"),
    row("requestUrl", "request", "[url][original]"),
    row("sourceAddress", "src", "[source][ip]"),
    row("sourceDnsDomain", "", "[source][registered_domain]").first(),
    row("sourceGeoLatitude", "slat", "[source][geo][location][lat]").legacy("sourceLatitude"),
    row("sourceGeoLongitude", "slong", "[source][geo][location][lon]").legacy("sourceLongitude"),
    row("sourceHostName", "shost", "[source][domain]"),
    row("sourceMacAddress", "smac", "[source][mac]"),
    row("sourceNtDomain", "sntdom", "[source][registered_domain]"),
    row("sourcePort", "spt", "[source][port]"),
    row("sourceProcessId", "spid", "[source][process][pid]"),
    row("sourceProcessName", "sproc", "[source][process][name]"),
    row("sourceServiceName", "", "[source][service][name]"),
    row("sourceTranslatedAddress", "", "[source][nat][ip]"),
    row("sourceTranslatedPort", "", "[source][nat][port]"),
    row("sourceTranslatedZoneExternalID", "", "[cef][source][translated_zone][external_id]"),
    row("sourceTranslatedZoneURI", "", "[cef][source][translated_zone][uri]"),
    row("sourceUserId", "suid", "[source][user][id]"),
    row("sourceUserName", "suser", "[source][user][name]"),
    row("sourceUserPrivileges", "spriv", "[source][user][group][name]"),
    row("sourceZoneExternalID", "", "[cef][source][zone][external_id]"),
    row("sourceZoneURI", "", "[cef][source][zone][uri]"),
    row("startTime", "start", "[event][start]").time(),
    row("transportProtocol", "proto", "[network][transport]"),
    row("type", "", "[cef][type]"),
];

/// Where the fields of a device go with `device => "host"`, unlike in [`ROWS`].
const HOST: &[(&str, &str)] = &[
    ("deviceAddress", "[host][ip]"),
    ("deviceDnsDomain", "[host][registered_domain]"),
    ("deviceExternalId", "[host][id]"),
    ("deviceHostName", "[host][name]"),
    ("deviceMacAddress", "[host][mac]"),
];

/// Each name with its key and its object in ECS; the number follows, and for labels the word `Label`.
const CUSTOM: &[(&str, &str, &str)] = &[
    ("deviceCustomFloatingPoint", "cfp", "device_custom_floating_point"),
    ("deviceCustomIPv6Address", "c6a", "device_custom_ipv6_address"),
    ("deviceCustomNumber", "cn", "device_custom_number"),
    ("deviceCustomString", "cs", "device_custom_string"),
];

/// Where the fields of the header go, in their order.
pub const HEADER: [(&str, &str); 7] = [
    ("cefVersion", "[cef][version]"),
    ("deviceVendor", "[observer][vendor]"),
    ("deviceProduct", "[observer][product]"),
    ("deviceVersion", "[observer][version]"),
    ("deviceEventClassId", "[event][code]"),
    ("name", "[cef][name]"),
    ("severity", "[event][severity]"),
];

/// What an extension key means.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub field: FieldReference,
    /// Whether the value is a time, which is only so with ECS.
    pub is_time: bool,
}

/// The names in both directions, for one mode.
#[derive(Debug, Default)]
pub struct Names {
    decode: HashMap<String, Decoded>,
    encode: HashMap<String, String>,
}

/// One field with everything that depends on the options settled.
struct Field<'n> {
    name: &'n str,
    key: &'n str,
    ecs: &'n str,
    legacy: &'n str,
    is_time: bool,
}

impl Names {
    /// `device_is_host`: the fields of the device are those of the host the event happened on. `short_keys`: what is
    /// written has the short keys (`reverse_mapping`).
    pub fn new(ecs: EcsMode, device_is_host: bool, short_keys: bool) -> Self {
        let mut names = Names::default();
        // Later ones replace earlier ones in what is written.
        for rank in [false, true] {
            for row in ROWS.iter().filter(|row| row.is_first == rank) {
                let moved = HOST.iter().find(|(name, _)| device_is_host && *name == row.name);
                names.add(
                    ecs,
                    short_keys,
                    &Field {
                        name: row.name,
                        key: if row.key.is_empty() { row.name } else { row.key },
                        ecs: moved.map_or(row.ecs, |(_, ecs)| ecs),
                        legacy: row.legacy,
                        is_time: row.is_time,
                    },
                );
            }
        }
        for number in 1..=CUSTOM_FIELDS {
            for (name, key, object) in CUSTOM {
                for (suffix, leaf) in [("", "value"), ("Label", "label")] {
                    names.add(
                        ecs,
                        short_keys,
                        &Field {
                            name: &format!("{name}{number}{suffix}"),
                            key: &format!("{key}{number}{suffix}"),
                            ecs: &format!("[cef][{object}_{number}][{leaf}]"),
                            legacy: "",
                            is_time: false,
                        },
                    );
                }
            }
        }
        names
    }

    fn add(&mut self, ecs: EcsMode, short_keys: bool, field: &Field<'_>) {
        let target = ecs.select(field.name, field.ecs);
        // The table holds legal references alone; a test reads them all.
        let Ok(reference) = FieldReference::parse(target) else { return };
        let decoded = Decoded { field: reference, is_time: field.is_time && ecs.is_enabled() };
        let written = if short_keys { field.key } else { field.name };
        self.encode.insert(target.to_owned(), written.to_owned());
        self.encode.insert(field.name.to_owned(), written.to_owned());
        if !field.legacy.is_empty() {
            let legacy = match ecs.is_enabled() {
                true => decoded.clone(),
                false => Decoded { field: FieldReference::top_level(field.legacy), is_time: false },
            };
            self.decode.insert(field.legacy.to_owned(), legacy);
            let written = if short_keys { field.key } else { field.legacy };
            self.encode.insert(field.legacy.to_owned(), written.to_owned());
        }
        self.decode.insert(field.key.to_owned(), decoded.clone());
        self.decode.insert(field.name.to_owned(), decoded);
    }

    /// What a key of an extension means, where it is one of CEF's own.
    pub fn decode(&self, key: &str) -> Option<&Decoded> {
        self.decode.get(key)
    }

    /// The key under which a field is written.
    pub fn encode<'n>(&'n self, field: &'n str) -> &'n str {
        self.encode.get(field).map_or(field, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_tables_is_a_reference() {
        let fields = ROWS.iter().map(|row| row.ecs).chain(HOST.iter().map(|(_, ecs)| *ecs));
        for field in fields.chain(HEADER.iter().map(|(_, ecs)| *ecs)) {
            assert!(FieldReference::parse(field).is_ok(), "{field}");
        }
        // 30 of each of the four custom kinds beside the rows; two names a row where the key differs.
        let names = Names::new(EcsMode::V8, false, false);
        let keys = ROWS.iter().filter(|row| !row.key.is_empty()).count();
        let legacy = ROWS.iter().filter(|row| !row.legacy.is_empty()).count();
        assert_eq!(names.decode.len(), ROWS.len() + keys + legacy + 2 * 4 * 30);
    }
}
