package iampolicy

import (
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/lazy"
)

// Covers reports whether a statement applies to an action. It ignores case.
func (st Statement) Covers(action string) bool {
	if len(st.NotAction) > 0 {
		return !st.NotAction.match(action)
	}
	return st.Action.match(action)
}

// On returns whether a statement in a resource's policy applies to that
// resource. A statement without resources always does. A wildcard may span the
// parts of an ARN. Names differ in their case, but whether AWS compares it is not
// documented, and a policy variable may have any value.
func (st Statement) On(resource string) Verdict {
	switch {
	case len(st.NotResource) > 0:
		return Always - st.NotResource.names(resource)
	case len(st.Resource) == 0:
		return Always
	}
	return st.Resource.names(resource)
}

// names returns whether one of the patterns matches a resource.
func (v Values) names(resource string) Verdict {
	if slices.ContainsFunc(v, func(pattern string) bool { return overlap(pattern, resource) }) {
		return Always
	}
	open := make(Values, len(v))
	for i, pattern := range v {
		open[i] = opened(pattern, "*")
	}
	if open.match(resource) {
		return Maybe
	}
	return Never
}

// Overlaps reports whether a statement in a principal's policy applies to at
// least one resource that matches a pattern. A policy variable may have any
// value.
func (st Statement) Overlaps(resources string) bool {
	if len(st.NotResource) > 0 {
		// A pattern that matches the text of another pattern, with the wildcards
		// of the other as literal characters, matches everything that the other
		// matches.
		return !slices.ContainsFunc(st.NotResource, func(p string) bool {
			return overlapARN(opened(p, "\x00"), literal.Replace(resources))
		})
	}
	return slices.ContainsFunc(st.Resource, func(p string) bool { return overlapARN(opened(p, "*"), resources) })
}

// variable matches a policy variable.
var variable = lazy.Compile(`\$\{[^}]*\}`)

// opened returns a pattern with each policy variable replaced.
func opened(pattern, by string) string {
	if !strings.Contains(pattern, "${") {
		return pattern
	}
	return variable.ReplaceAllString(pattern, by)
}

// literal replaces wildcards by characters that match only themselves.
var literal = strings.NewReplacer("*", "\x01", "?", "\x02")

// AppliesTo returns whether a statement applies to a service. AWS does not
// document whether it accepts a service principal with wildcards or in other
// letters.
func (st Statement) AppliesTo(service string) Verdict {
	if st.NotPrincipal != nil {
		return Always - st.NotPrincipal.has(service)
	}
	return st.Principal.has(service)
}

// AppliesToRole returns whether a statement applies to the sessions of a role, or
// of one of the roles that a pattern with wildcards names. A statement that spares roles by NotPrincipal also
// has to list the account and each session, so it never surely spares one. A role
// that was deleted, and that a policy names by its ID, is no such role. Source: IAM
// User Guide, "AWS JSON policy elements: NotPrincipal" and "Principal".
func (st Statement) AppliesToRole(role string) Verdict {
	switch p := st.NotPrincipal; {
	case p == nil:
		return st.Principal.hasRole(role)
	case p.everybody():
		return Never
	case p.hasRole(role) == Never:
		return Always
	}
	return Maybe
}

func (p *Principal) hasRole(role string) Verdict {
	if p == nil {
		return Never
	}
	best := Never
	parts := strings.SplitN(role, ":", 6) // arn:partition:iam::account:role/name
	for _, who := range p.AWS {
		account := strings.Join(parts[:5], ":") + ":root"
		session := parts[0] + ":" + parts[1] + ":sts::" + parts[4] + ":assumed-" + parts[5] + "/*"
		switch {
		case who == "*", who == parts[4], strings.EqualFold(who, account):
			return Always
		case overlapARN(who, role), overlapARN(who, session):
			best = Maybe // of one of the roles, or one of their sessions
		}
	}
	return best
}

func (p *Principal) has(service string) Verdict {
	switch {
	case p == nil:
		return Never
	case p.everybody() || slices.Contains(p.Service, service):
		return Always
	case p.Service.match(service):
		return Maybe
	}
	return Never
}

func (p *Principal) everybody() bool { return p != nil && slices.Contains(p.AWS, "*") }

// Serves reports whether a statement has at least the effect of the wanted
// statement on a resource: the same effect, under the same conditions or fewer.
// The principal of the wanted statement must be everybody or services.
func (st Statement) Serves(want Statement, resource string) bool {
	if st.Effect != want.Effect || st.On(resource) != Always {
		return false
	}
	if slices.ContainsFunc(want.Action, func(a string) bool { return !st.Covers(a) }) {
		return false
	}
	if want.Principal.everybody() {
		if !st.Principal.everybody() {
			return false
		}
	} else if slices.ContainsFunc(want.Principal.Service, func(s string) bool { return st.AppliesTo(s) != Always }) {
		return false
	}
	for operator, keys := range st.Condition {
		wanted := folded(want.Condition, operator)
		for key, values := range keys {
			if w := folded(wanted, key); w == nil || !slices.Equal(values, w) {
				return false
			}
		}
	}
	return true
}

// folded returns the member with a name, ignoring case. It returns the zero
// value if there is none.
func folded[V any](members map[string]V, name string) (v V) {
	for k, v := range members {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return v
}

// match reports whether one of the patterns matches a name. It ignores case.
func (v Values) match(name string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool { return overlap(strings.ToLower(pattern), strings.ToLower(name)) })
}

// overlapARN reports whether an ARN exists that matches both patterns. A
// wildcard matches text within one of the six parts of an ARN. Source: IAM User
// Guide, "IAM JSON policy elements: Resource".
func overlapARN(a, b string) bool {
	as, bs := strings.SplitN(a, ":", 6), strings.SplitN(b, ":", 6)
	if len(as) < 6 || len(bs) < 6 {
		return overlap(a, b)
	}
	for i := range as {
		if !overlap(as[i], bs[i]) {
			return false
		}
	}
	return true
}

// overlap reports whether a text exists that matches both patterns. In a
// pattern, * matches any text and ? matches any one character. A name is a
// pattern without wildcards. It takes time in proportion to the product of the
// lengths at most, however many wildcards there are.
func overlap(a, b string) bool {
	a, b = oneStar(a), oneStar(b)
	// ends[j] says whether a[i:] and b[j:] overlap, next[j] the same of a[i+1:].
	// The loops start at the end.
	ends, next := make([]bool, len(b)+1), make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				ends[j] = true
			case i < len(a) && a[i] == '*':
				ends[j] = next[j] || j < len(b) && ends[j+1]
			case j < len(b) && b[j] == '*':
				ends[j] = ends[j+1] || i < len(a) && next[j]
			case i < len(a) && j < len(b):
				ends[j] = (a[i] == b[j] || a[i] == '?' || b[j] == '?') && next[j+1]
			default:
				ends[j] = false
			}
		}
		ends, next = next, ends
	}
	return next[0]
}

// oneStar returns a pattern with one * for each run of them.
func oneStar(pattern string) string {
	if !strings.Contains(pattern, "**") {
		return pattern
	}
	var b strings.Builder
	for i := range len(pattern) {
		if pattern[i] != '*' || i == 0 || pattern[i-1] != '*' {
			b.WriteByte(pattern[i])
		}
	}
	return b.String()
}
