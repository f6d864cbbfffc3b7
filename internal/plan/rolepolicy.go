package plan

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
	"github.com/relight-aws/relight/internal/lazy"
)

// denies returns whether a policy denies something that grants allow: always, as
// "it denies logs:PutLogEvents", or perhaps, on a condition that cannot be judged
// here. Both are "" if it denies nothing. A policy that cannot be read counts as one
// that always denies.
func denies(document string, grants []catalog.Grant, at string) (always, perhaps string) {
	doc, err := iampolicy.Parse(document)
	if err != nil {
		return "it cannot be read: " + err.Error(), ""
	}
	for _, st := range doc.Statements {
		if st.Effect != iampolicy.Deny || revokesSessions(st, at) {
			continue
		}
		action := firstHit(st, grants)
		switch {
		case action == "":
		case len(st.Condition) == 0:
			return "it denies " + action, ""
		case perhaps == "":
			perhaps = "it denies " + action + " on a condition"
		}
	}
	return "", perhaps
}

// firstHit returns the first action of grants that a statement is about, or "".
func firstHit(st iampolicy.Statement, grants []catalog.Grant) string {
	for _, g := range grants {
		for _, action := range g.Actions {
			if hits(st, action, g) {
				return action
			}
		}
	}
	return ""
}

// hits reports whether a statement is about an action on a grant's resources.
func hits(st iampolicy.Statement, action string, g catalog.Grant) bool {
	return st.Covers(action) && slices.ContainsFunc(g.Resources, st.Overlaps)
}

// revokesSessions reports whether a statement applies only to sessions issued
// before a time in the past: services get new sessions by themselves. With a time
// in the future it denies until then. Source: IAM User Guide, "Revoke IAM
// role temporary security credentials".
func revokesSessions(st iampolicy.Statement, at string) bool {
	before := st.Condition["DateLessThan"]
	if len(st.Condition) != 1 || len(before) != 1 {
		return false
	}
	for key, values := range before {
		if !strings.EqualFold(key, "aws:TokenIssueTime") || len(values) != 1 {
			return false
		}
		if issued := utc.FindStringSubmatch(values[0]); issued == nil || issued[1] > at {
			return false
		}
	}
	return true
}

// utc is a time as IAM's console writes it.
var utc = lazy.Compile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z$`)

// notAllowed returns what a boundary does not allow of what grants allow, or "".
// A statement with conditions counts as if it had none: they cannot be judged
// here.
func notAllowed(document string, grants []catalog.Grant) string {
	doc, _ := iampolicy.Parse(document)
	for _, g := range grants {
		for _, action := range g.Actions {
			if !slices.ContainsFunc(doc.Statements, func(st iampolicy.Statement) bool {
				return st.Effect == iampolicy.Allow && hits(st, action, g)
			}) {
				return "it does not allow " + action
			}
		}
	}
	return ""
}
