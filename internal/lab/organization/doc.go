// Package organization tests a hub that guards other accounts, from outside: the real
// binaries and the real template of a guarded account in a local cloud of three accounts,
// whose guarded ones are attacked through ordinary AWS clients.
package organization
