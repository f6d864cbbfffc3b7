// Package e2e proves relight from outside: the real binaries, deployed by the
// real CDK CLI into the local cloud, attacked through ordinary AWS clients.
package e2e
