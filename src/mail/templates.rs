//! Texts of mails from templates.
//!
//! Templates are Jinja2 (minijinja). Those of a directory are tried with sample mails when they are
//! loaded, so that a mistake ends the start of the program and not the sending of a mail.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Template, UndefinedBehavior, Value};

use super::content::Mail;
use super::links::Links;
use super::samples::samples;
use super::template_error::TemplateError;
use super::template_files::{self, Files, LAYOUT};
use super::variables::{self, Variable, Variables};
use crate::domain::mail::{MailLanguage, MailPurpose};

/// The templates of all mails.
pub struct Templates {
    environment: Environment<'static>,
    /// Host of the application, by which mails call the service.
    service: String,
}

/// A template whose text is a variable of a mail's own templates.
struct Part {
    file: String,
    variable: &'static str,
    variables: Variables,
}

/// A rendered mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailText {
    pub subject: String,
    pub text: String,
    /// `None` if the mail is text only.
    pub html: Option<String>,
}

/// Redacted: the text has a code or a link.
impl fmt::Debug for MailText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailText({})", self.subject)
    }
}

type Result<T> = std::result::Result<T, TemplateError>;

impl Templates {
    /// The templates in the program, replaced by the files of a directory.
    pub fn load(directory: Option<&Path>, links: &Links) -> Result<Self> {
        let environment = environment(template_files::read(directory)?)?;
        let templates = Self { environment, service: links.service().to_owned() };
        // The program's own templates are checked by a test. Checking them here would slow down each start.
        if directory.is_some() {
            templates.check(links)?;
        }
        Ok(templates)
    }

    /// Checks all templates with sample mails.
    pub(super) fn check(&self, links: &Links) -> Result<()> {
        for purpose in MailPurpose::ALL {
            for language in MailLanguage::ALL {
                for sample in samples(*purpose, links) {
                    self.check_mail(&sample, *language)?;
                }
            }
        }
        Ok(())
    }

    /// The subject, the text and the HTML of a mail.
    pub fn render(&self, mail: &Mail, language: MailLanguage) -> Result<MailText> {
        let name = file_name(mail, language, "txt");
        let variables = self.variables(mail, language)?;
        let rendered = self.environment.get_template(&name)?.render(value(&variables))?;
        let (subject, text) = split_subject(&rendered).ok_or(TemplateError::Subject { name })?;
        let html = match self.template(&file_name(mail, language, "html"))? {
            None => None,
            Some(template) => {
                Some(template.render(value(&html_variables(variables, language, &subject)))?)
            }
        };
        Ok(MailText { subject, text, html })
    }

    /// The variables of the mail's own templates.
    fn variables(&self, mail: &Mail, language: MailLanguage) -> Result<Variables> {
        let mut variables = variables::of_mail(mail, language);
        variables.push(self.service());
        for part in self.parts(mail, language) {
            let rendered = self.environment.get_template(&part.file)?;
            let rendered = rendered.render(value(&part.variables))?;
            // It may stand in the middle of a line.
            let text = rendered.split_whitespace().collect::<Vec<_>>().join(" ");
            variables.push((part.variable, Some(text)));
        }
        Ok(variables)
    }

    fn parts(&self, mail: &Mail, language: MailLanguage) -> impl Iterator<Item = Part> {
        let validity = variables::of_validity(mail, language);
        let request = variables::of_request(mail);
        let parts =
            [("validity", "validity", validity), ("requested-from", "requested_from", request)];
        parts.into_iter().filter_map(move |(name, variable, variables)| {
            let mut variables = variables?;
            variables.push(self.service());
            Some(Part { file: format!("{name}.{}.txt", language.as_str()), variable, variables })
        })
    }

    fn service(&self) -> Variable {
        ("service", Some(self.service.clone()))
    }

    fn check_mail(&self, sample: &Mail, language: MailLanguage) -> Result<()> {
        for part in self.parts(sample, language) {
            self.check_variables(&part.file, &part.variables)?;
        }
        let name = file_name(sample, language, "txt");
        let variables = self.variables(sample, language)?;
        self.check_variables(&name, &variables)?;
        let of_html = html_variables(variables.clone(), language, "");
        self.check_variables(&file_name(sample, language, "html"), &of_html)?;
        let is_common = |(name, _): &Variable| ["service", "language", "subject"].contains(name);
        let of_layout: Variables = of_html.into_iter().filter(is_common).collect();
        self.check_variables(LAYOUT, &of_layout)?;
        let mail = self.render(sample, language)?;
        check_proof(name, &mail, &variables)
    }

    /// Checks that a template uses no variable that it does not have, also where no sample leads to its
    /// use.
    fn check_variables(&self, name: &str, variables: &[Variable]) -> Result<()> {
        let Some(template) = self.template(name)? else { return Ok(()) };
        let used: BTreeSet<_> = template.undeclared_variables(false).into_iter().collect();
        let known: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
        match used.into_iter().find(|used| !known.contains(&used.as_str())) {
            None => Ok(()),
            Some(variable) => {
                let known = known.join(", ");
                Err(TemplateError::Variable { name: name.to_owned(), variable, known })
            }
        }
    }

    /// `None` for the HTML of a mail that is text only.
    fn template(&self, name: &str) -> Result<Option<Template<'_, '_>>> {
        match self.environment.get_template(name) {
            Ok(template) => Ok(Some(template)),
            Err(error) if error.kind() == ErrorKind::TemplateNotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Checks that people and programs find the code and the link: each is alone on a line of the text, and
/// neither is in the subject.
fn check_proof(name: String, mail: &MailText, variables: &[Variable]) -> Result<()> {
    let value = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| value.as_deref())
    };
    let (code, link) = (value("code"), value("link"));
    let mut has_any = false;
    for proof in [code, link].into_iter().flatten() {
        if mail.subject.contains(proof) {
            return Err(TemplateError::SecretSubject { name });
        }
        let mut lines = mail.text.lines().filter(|line| line.contains(proof)).peekable();
        has_any |= lines.peek().is_some();
        if lines.any(|line| line != proof) {
            return Err(TemplateError::NotAlone { name });
        }
    }
    if code.is_some() && !has_any { Err(TemplateError::NoProof { name }) } else { Ok(()) }
}

fn environment(files: Files) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A tag that is alone on its line leaves no empty line.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // Compiles a template at its first use: most processes send few of the mails.
    environment.set_loader(move |name| Ok(files.get(name).cloned()));
    Ok(environment)
}

fn file_name(mail: &Mail, language: MailLanguage, end: &str) -> String {
    format!("{}.{}.{end}", mail.purpose().as_str(), language.as_str())
}

fn html_variables(mut variables: Variables, language: MailLanguage, subject: &str) -> Variables {
    variables.push(("language", Some(language.as_str().to_owned())));
    variables.push(("subject", Some(subject.to_owned())));
    variables
}

fn value(variables: &[Variable]) -> Value {
    Value::from_pairs(variables.iter().map(|(name, value)| (*name, value.clone())))
}

/// The subject and the text of a rendered template; `None` if it does not begin with a subject and an
/// empty line.
fn split_subject(rendered: &str) -> Option<(String, String)> {
    const MAX_CHARS: usize = 200;
    let (head, rest) = rendered.split_once('\n')?;
    let (blank, text) = rest.split_once('\n')?;
    let (subject, text) = (head.strip_prefix("Subject:")?.trim(), text.trim());
    let is_sound = !subject.is_empty()
        && subject.chars().count() <= MAX_CHARS
        && !subject.contains(char::is_control)
        && blank.trim().is_empty()
        && !text.is_empty();
    is_sound.then(|| (subject.to_owned(), format!("{text}\n")))
}
