//! Password input: from the terminal, twice, or from a line of standard input.
//!
//! Never from an argument, which every user of the machine can read.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Result, bail};
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct PasswordArguments {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordArguments {
    pub(super) fn read(self) -> Result<Zeroizing<String>> {
        if self.password_stdin {
            let mut line = Zeroizing::new(String::new());
            io::stdin().lock().read_line(&mut line)?;
            return Ok(Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned()));
        }
        if !io::stdin().is_terminal() {
            bail!("cannot prompt for the password without a terminal; use --password-stdin");
        }
        let password = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let again = Zeroizing::new(rpassword::prompt_password("Repeat the password: ")?);
        if password != again {
            bail!("the passwords do not match; try again");
        }
        Ok(password)
    }
}
