//! fleetscale is an autoscaler that never touches a cluster: it reads what is live, decides, and opens pull requests in the fleet's Git
//! repository. People review, Argo CD or Flux apply.
//!
//! This page is the architecture: one picture, the rooms, and what must always hold.
//!
//! ```text
//!  API servers, Prometheus  open pull requests, trailers   fleet repository at one base commit
//!       │ read                  │ read                           │ read (object database, no work tree)
//!       ▼                       ▼                                ▼
//!  ┌── observe ──┐       ┌ publish::observe ┐             ┌──── fleet ────┐
//!  │ gaps, not   │       │ what we said and │             │ files, index, ├──► policies/*.yaml
//!  │ guesses     │       │ what became of it│             │ places        │          │
//!  └──────┬──────┘       └────────┬─────────┘             └──────┬────────┘          ▼
//!         ▼ live                  ▼ ledger                       ▼ FleetTree      PolicySet
//!         Snapshot { live, ledger }: one file, recordable, replayable
//!  ═══════╪═══════════════════════╪══════════════════════════════╪════════ pure: no I/O, clock, env, async
//!    fleet::bind      (fleet file, policies, tree) -> Declared            value, place, owner, or why it can't be written
//!    decide::decide   (fleet file, policies, Snapshot, Declared, now) -> Vec<Decision>      exactly one per target
//!    plan::plan       (decisions, Declared, Ledger, limits, now) -> Plan  proposals by scope, budgets, holds
//!    render::render   (bytes at base, edits) -> Rendered                  new bytes, each edit proven by a second parser
//!    publish::message (Proposal, Plan) -> title, body, commit             pure words
//!    publish::reconcile (desired, Ledger) -> Vec<Action>                  create, update, keep, adopt, close, hands off
//!  ═══════╪══════════════════════════════════════════════════════════════════════════════════════════════
//!         ▼
//!    publish::perform: one commit on the base, push with a lease, one pull request per scope   (the only writer)
//! ```
//!
//! # The rooms
//!
//! | room | holds | may import |
//! |---|---|---|
//! | [`model`] | the nouns: names, scalars, snapshot, declared, decision, plan, edit | nothing of ours |
//! | [`yaml`] | bytes to events, spans, pointer look-up; the only user of granit-parser | nothing of ours |
//! | [`policy`] | what people write, validated; schedules; the only user of `cron` | `model`, `yaml` |
//! | [`fleet`] | the repository at one commit: documents, index, shapes, binding | `model`, `policy`, `yaml`, `threads` |
//! | [`decide`] | one verdict per target: node groups, platforms, controllers, shards | `model`, `policy` |
//! | [`plan`] | scopes, budgets, conflicts, the checker of the finished plan, its text | `model`, `policy` |
//! | [`render`] | edits on bytes, the oracle (the only user of saphyr-parser), the diff | `model`, `yaml`, `fleet`, `threads` |
//! | [`net`] | servers, secrets, deadlines, one HTTP client; the only user of reqwest | nothing of ours |
//! | [`git`] | the object database and the push with a lease; the only user of git2 and ureq | `model`, `net` |
//! | [`forge`] | pull requests as a resource: one file per forge; the only user of octocrab | `model`, `net` |
//! | [`publish`] | the ledger, reconciliation, the only writer, the words of a pull request | `model`, `git`, `forge`, `net` |
//! | [`observe`] | where the live half of a snapshot comes from: API servers, Prometheus, a recorded file; the only user of kube | `model`, `policy`, `net` |
//! | [`cli`] | one thin file per verb; the clock, the environment and the terminal | everything |
//! | [`error`] | kinds of failure, exit codes, hints | nothing of ours |
//! | [`telemetry`] | tracing to stderr | nothing of ours |
//! | [`threads`] | two threads for what is done many times | nothing of ours |
//!
//! `tests/integration/architecture.rs` holds the code against this table.
//!
//! # Invariants
//!
//! 1. Only [`publish`] writes outside the process. Only [`cli`] reads the clock, the environment and the terminal; `net` reads the monotonic
//!    clock for deadlines. `async` lives in `net`, `observe`, `git`, `forge`, `publish` and `cli`.
//! 2. The agent keeps no state of its own. Its memory is Git (commit trailers) and the forge, read into the ledger at every run.
//! 3. Blind means hold, never down. A scale-down needs every required input fresh and complete, and live equal to declared.
//! 4. Every target of live and declared gets exactly one verdict with typed reasons. Not acting is data, never a log line.
//! 5. An edit replaces one scalar, inserts one key or item, or moves a file with named inserts; every byte outside is equal, and a second
//!    parser sees exactly the planned difference. What can't be edited so is refused with a reason, never marshalled anew.
//! 6. One open pull request per scope, its branch a pure function of the scope. A human's commit, amend, close or deleted branch is never
//!    overwritten or argued with.
//! 7. A proposal's digest covers its edits alone. Same digest: no push, so approvals stay.
//! 8. Every network call has a deadline, every region its own budget.
//! 9. No secret reaches any output; text from clusters, metrics and repositories is hostile until escaped.
//! 10. Same inputs, same bytes.

pub mod cli;
pub mod decide;
pub mod error;
pub mod fleet;
pub mod forge;
pub mod git;
pub mod model;
pub mod net;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod publish;
pub mod render;
pub mod telemetry;
pub mod threads;
pub mod yaml;
