//! Origin of a request: IP address, user agent, and the device that the user agent names.

use std::net::{IpAddr, Ipv6Addr};

use super::unprintable::is_unprintable;
use super::words;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    pub user_agent: Option<UserAgent>,
}

/// An address as 16 bytes, with IPv4 mapped to IPv6, so that one range condition on an index finds the
/// addresses of a block for both families and on both databases.
#[must_use]
pub fn ip_to_bytes(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// Inverse of [`ip_to_bytes`]; `None` if there are not 16 bytes.
#[must_use]
pub fn ip_from_bytes(bytes: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 16] = bytes.try_into().ok()?;
    Some(Ipv6Addr::from(octets).to_canonical())
}

/// Text of a `User-Agent` header, truncated to 512 characters and without unprintable characters, which the
/// sender could use to disturb the text around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    const MAX_CHARS: usize = 512;

    /// Removes unprintable characters; `None` if nothing is left.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shown: String =
            text.trim().chars().filter(|&c| !is_unprintable(c)).take(Self::MAX_CHARS).collect();
        (!shown.is_empty()).then_some(Self(shown))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn device(&self) -> Device {
        Device::read(&self.0)
    }

    #[must_use]
    pub fn program(&self) -> Program {
        let Some(found) = woothee::parser::Parser::new().parse(&self.0) else {
            return Program::default();
        };
        let known = |name: &str| (name != "UNKNOWN" && !name.is_empty()).then(|| name.to_owned());
        Program { browser: known(found.name), os: known(found.os) }
    }
}

/// Names of the browser and the operating system, without versions, e.g. `Firefox` and `Linux`.
///
/// They are constants of the parser. A [`Device`] has versions, and some of those are text that the sender
/// of the header chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    pub browser: Option<String>,
    pub os: Option<String>,
}

words! {
    DeviceType {
        /// Desktop or laptop computer.
        Desktop = "DESKTOP",
        Mobile = "MOBILE",
        Tablet = "TABLET",
        /// Crawler, script or library that identifies itself.
        Bot = "BOT",
        Unknown = "UNKNOWN",
    }
}

/// Device that a user agent names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Name and version of the browser, e.g. `Firefox 145.0`.
    pub browser: Option<String>,
    /// Name and version of the operating system, e.g. `Windows 10`.
    pub os: Option<String>,
    pub kind: DeviceType,
}

impl Device {
    /// Device of a client without a user agent.
    pub const UNKNOWN: Self = Self { browser: None, os: None, kind: DeviceType::Unknown };

    fn read(user_agent: &str) -> Self {
        let Some(found) = woothee::parser::Parser::new().parse(user_agent) else {
            return Self::UNKNOWN;
        };
        let known = |text: &str| (text != "UNKNOWN" && !text.is_empty()).then(|| text.to_owned());
        let with_version = |name: &str, version: &str| {
            let name = known(name)?;
            Some(known(version).map_or_else(|| name.clone(), |version| format!("{name} {version}")))
        };
        // By convention of Android's vendors, browsers on phones send "Mobile", and on tablets they do not.
        let is_tablet = found.os == "iPad"
            || found.os == "Android" && !user_agent.contains("Mobile")
            || user_agent.contains("Tablet;");
        let kind = match found.category {
            "smartphone" | "mobilephone" if is_tablet => DeviceType::Tablet,
            "smartphone" | "mobilephone" => DeviceType::Mobile,
            "pc" => DeviceType::Desktop,
            "crawler" => DeviceType::Bot,
            // woothee puts HTTP clients such as curl into the category "misc".
            "misc" if found.name == "HTTP Library" => DeviceType::Bot,
            _ => DeviceType::Unknown,
        };
        let os = match found.os {
            // "Windows 10" already contains the version.
            name if name.starts_with("Windows") => known(name),
            name => with_version(name, &found.os_version),
        };
        let browser = match found.name {
            // woothee returns the name of the HTTP library as the version.
            "HTTP Library" => known(found.version),
            name => with_version(name, found.version),
        };
        Self { browser, os, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(user_agent: &str) -> Device {
        UserAgent::parse(user_agent).unwrap().device()
    }

    #[test]
    fn common_browsers_are_known() {
        let firefox =
            device("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0");
        assert_eq!(firefox.browser.as_deref(), Some("Firefox 145.0"));
        assert_eq!(firefox.os.as_deref(), Some("Linux"));
        assert_eq!(firefox.kind, DeviceType::Desktop);
        let iphone = device(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 \
             (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        );
        assert_eq!(iphone.kind, DeviceType::Mobile);
        let tablet = device(
            "Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/130.0.0.0 Safari/537.36",
        );
        assert_eq!(tablet.kind, DeviceType::Tablet);
        assert_eq!(device("Googlebot/2.1 (+http://www.google.com/bot.html)").kind, DeviceType::Bot);
    }

    #[test]
    fn a_program_is_called_by_its_own_name() {
        let curl = device("curl/8.14.1");
        assert_eq!((curl.browser.as_deref(), curl.kind), (Some("curl"), DeviceType::Bot));
        assert_eq!(device("Python-urllib/3.13").browser.as_deref(), Some("python"));
    }

    #[test]
    fn the_names_of_a_program_are_not_chosen_by_the_sender() {
        let program = |text: &str| {
            let program = UserAgent::parse(text).unwrap().program();
            (program.browser, program.os)
        };
        let some = |name: &str| Some(name.to_owned());
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        assert_eq!(program(firefox), (some("Firefox"), some("Linux")));
        assert_eq!(program("gibberish"), (None, None));
        for hostile in [
            "KDDI-www.example.org UP.Browser/6.2",
            "DoCoMo/2.0 www.example.org(c500)",
            "Mozilla/5.0 (X11; CrOS www.example.org) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
            "Mozilla/5.0 (X11; FreeBSD www.example.org; rv:1.0) Gecko/2 Firefox/145.0",
        ] {
            let (browser, os) = program(hostile);
            let text = format!("{browser:?} {os:?}");
            assert!(browser.is_some() && !text.contains("example"), "{hostile}: {text}");
        }
    }

    #[test]
    fn unprintable_characters_are_dropped() {
        let agent = UserAgent::parse("a\r\nb\u{1b}[31m").unwrap();
        assert_eq!(agent.as_str(), "ab[31m");
        let turned = UserAgent::parse("a\u{202e}b\u{2067}c\u{200f}d\u{61c}e\u{2028}f").unwrap();
        assert_eq!(turned.as_str(), "abcdef");
        assert_eq!(UserAgent::parse("\u{202e}\u{feff}"), None);
        assert_eq!(UserAgent::parse(&"x".repeat(10_000)).unwrap().as_str().len(), 512);
        assert_eq!(UserAgent::parse(" \r\n "), None);
        assert_eq!(device("gibberish").kind, DeviceType::Unknown);
    }

    #[test]
    fn an_address_survives_its_bytes() {
        for text in ["192.0.2.7", "2001:db8::1", "::1"] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(ip_from_bytes(&ip_to_bytes(ip)), Some(ip));
        }
    }
}
