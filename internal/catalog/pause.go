package catalog

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

// PauserShape matches the ARNs, and patterns of ARNs with * and ?, of who may pause.
// Source: IAM User Guide, "IAM identifiers".
var PauserShape = lazy.Compile(`^arn:[a-z-]+:iam::(\d{12}|\*):(root|(role|user)/[\w+=,.@/*?-]+)$`)

// PauseParameter returns the name of the parameter that pauses relight. It is not among
// Memories, because no function may write it.
func (b Baseline) PauseParameter() string { return "/" + b.Prefix + "/pause" }

// Pausable returns the kinds that a pause may cover: all but those with which relight
// notifies people and restores itself.
func Pausable() []Kind {
	return slices.DeleteFunc(Kinds(), func(k Kind) bool { return k == Topics || k == Guard })
}

// MayPause reports whether a caller, given by ARN, is one that the configuration lets
// pause relight in an account.
func (b Baseline) MayPause(account, caller string) bool {
	at := strings.SplitN(caller, ":", 6)
	if len(at) != 6 || at[0] != "arn" || at[4] != account {
		return false
	}
	return slices.ContainsFunc(b.PauseBy, func(pattern string) bool {
		p := strings.SplitN(pattern, ":", 6)
		if len(p) != 6 || p[1] != at[1] || p[4] != "*" && p[4] != account {
			return false
		}
		if name, ok := roleName(p[5]); ok {
			acting := roleOf(at[2], at[5])
			return acting != "" && like(name, acting)
		}
		return at[2] == "iam" && like(p[5], at[5])
	})
}

// roleName returns the name in a role's part of an ARN, without its path: the ARN of a
// session does not have the path, and a name of a role exists once in an account.
func roleName(resource string) (string, bool) {
	if !strings.HasPrefix(resource, "role/") {
		return "", false
	}
	return resource[strings.LastIndex(resource, "/")+1:], true
}

// roleOf returns the name of the role that a caller is, or has a session of; "" for
// another caller.
func roleOf(service, resource string) string {
	if name, ok := roleName(resource); ok && service == "iam" {
		return name
	}
	parts := strings.Split(resource, "/")
	if service != "sts" || len(parts) != 3 || parts[0] != "assumed-role" || parts[2] == "" {
		return ""
	}
	return parts[1]
}

// like reports whether a text matches a pattern, in which * stands for any characters
// and ? for one.
func like(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return like(pattern[1:], text) || text != "" && like(pattern, text[1:])
	case text == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}
