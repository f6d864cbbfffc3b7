// Package e2e tests relight from outside: the real binaries, deployed by the
// real CDK CLI to the local cloud, attacked through ordinary AWS clients.
package e2e
