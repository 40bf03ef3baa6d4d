-- Second factors: authenticator apps, recovery codes, passkeys, trusted devices.

-- What the user showed in a session: the methods of the claim amr as bits, the strength (1 to 3) of the claim
-- acr, the time of the last second factor, and of the last one that was no recovery code. Null: written by a
-- version that does not know second factors.
ALTER TABLE sessions ADD COLUMN methods INTEGER;
ALTER TABLE sessions ADD COLUMN assurance INTEGER;
ALTER TABLE sessions ADD COLUMN second_factor_at INTEGER;
ALTER TABLE sessions ADD COLUMN strong_factor_at INTEGER;
