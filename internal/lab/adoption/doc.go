// Package adoption tests from outside how relight comes to an account in which others
// made filters, alarms and flow logs before. It has a local cloud of its own, because it
// needs the time before the deployment.
package adoption
