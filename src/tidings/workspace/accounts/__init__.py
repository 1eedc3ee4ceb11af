"""Who may come in, and with what: users and their passwords, API clients, logins and sessions, codes, tokens and scopes."""
