// Package lifecycle tests from outside what an owner does with a deployment, in order: they
// deploy into an account in which others made filters, alarms and flow logs before,
// change the configuration, delete what is no longer wanted, pause, and remove relight. It
// has a local cloud of
// its own, because it needs the time before the deployment, and deploys more than once.
package lifecycle
