// Pages for e-mails, with any client: a forgotten password, and a login by e-mail. `mutate(name, variables)`
// sends a mutation of `emailOperations` and returns its data; `session` is that of session.js.
const ANSWER = `tokens { accessToken refreshToken }
    challenge { challengeToken sentTo steps attemptsLeft }
    errors { code message retryAfterSeconds }`;

export const emailOperations = {
  RequestPasswordReset: `mutation RequestPasswordReset($username: String!) {
  requestPasswordReset(input: { username: $username }) {
    challenge { challengeToken sentTo expiresAt } errors { code message retryAfterSeconds }
  }
}`,
  RequestEmailLogin: `mutation RequestEmailLogin($username: String!) {
  requestEmailLogin(input: { username: $username }) {
    challenge { challengeToken sentTo expiresAt } errors { code message retryAfterSeconds }
  }
}`,
  ResetPassword: `mutation ResetPassword($proof: EmailProofInput!, $newPassword: String!) {
  resetPassword(input: { proof: $proof, newPassword: $newPassword }) {
    ${ANSWER}
  }
}`,
  LoginWithLink: `mutation LoginWithLink($linkToken: String!) {
  loginWithLink(input: { linkToken: $linkToken }) {
    ${ANSWER}
  }
}`,
  ContinueLogin: `mutation ContinueLogin($challengeToken: String, $proof: ProofInput!) {
  continueLogin(input: { challengeToken: $challengeToken, proof: $proof }) {
    ${ANSWER}
  }
}`,
};

export function createEmailPages(mutate, session) {
  // Opens the next step only, so it is kept in memory.
  let challengeToken;

  function take(answer) {
    if (answer.challenge) challengeToken = answer.challenge.challengeToken;
    if (answer.tokens) session.save(answer.tokens);
    // Without tokens: SECOND_STEP_REQUIRED asks for one of `challenge.steps`, INVALID_PROOF for the code again,
    // CHALLENGE_EXPIRED for another e-mail, WEAK_PASSWORD for another password with the same code or link.
    return answer;
  }

  return {
    // The answer is the same whether the account exists or not: then ask for the code.
    requestReset: async username => take((await mutate('RequestPasswordReset', { username })).requestPasswordReset),
    requestLogin: async username => take((await mutate('RequestEmailLogin', { username })).requestEmailLogin),

    // Ends all other sessions of the account, and logs in.
    async reset({ code, linkToken }, newPassword) {
      const proof = linkToken ? { linkToken } : { code: { challengeToken, code } };
      return take((await mutate('ResetPassword', { proof, newPassword })).resetPassword);
    },

    // Call it when the user presses a button, not when the page opens: programs that check links open pages, too.
    loginWithLink: async linkToken => take((await mutate('LoginWithLink', { linkToken })).loginWithLink),

    // The code of an e-mail: { emailCode }; or another step of the challenge, such as { password }.
    continueLogin: async proof => take((await mutate('ContinueLogin', { challengeToken, proof })).continueLogin),
  };
}

// The token of the link in an e-mail, which is then removed from the address bar.
export function takeLinkToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  history.replaceState(history.state, '', location.pathname + location.search);
  return token;
}
