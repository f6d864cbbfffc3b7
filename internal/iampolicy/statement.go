package iampolicy

import (
	"regexp"
	"slices"
	"strings"
)

// Covers reports whether a statement applies to an action. It ignores case.
func (st Statement) Covers(action string) bool {
	if len(st.NotAction) > 0 {
		return !st.NotAction.match(action)
	}
	return st.Action.match(action)
}

// On reports whether a statement in a resource's policy applies to that
// resource. A statement without resources does. On ignores case, and lets a
// wildcard span the parts of an ARN.
func (st Statement) On(resource string) bool {
	if len(st.NotResource) > 0 {
		return !st.NotResource.match(resource)
	}
	return len(st.Resource) == 0 || st.Resource.match(resource)
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
			return overlapARN(variable.ReplaceAllString(p, "\x00"), literal.Replace(resources))
		})
	}
	return slices.ContainsFunc(st.Resource, func(p string) bool { return overlapARN(variable.ReplaceAllString(p, "*"), resources) })
}

// variable matches a policy variable.
var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// literal replaces wildcards by characters that match only themselves.
var literal = strings.NewReplacer("*", "\x01", "?", "\x02")

// AppliesTo reports whether a statement applies to a service.
func (st Statement) AppliesTo(service string) bool {
	if st.NotPrincipal != nil {
		return !st.NotPrincipal.has(service)
	}
	return st.Principal.has(service)
}

func (p *Principal) has(service string) bool {
	return p.everybody() || p != nil && (slices.Contains(p.Service, service) || slices.Contains(p.Service, "*"))
}

func (p *Principal) everybody() bool { return p != nil && slices.Contains(p.AWS, "*") }

// Serves reports whether a statement has at least the effect of the wanted
// statement on a resource: the same effect, under the same conditions or fewer.
// The principal of the wanted statement must be everybody or services.
func (st Statement) Serves(want Statement, resource string) bool {
	if st.Effect != want.Effect || !st.On(resource) {
		return false
	}
	if slices.ContainsFunc(want.Action, func(a string) bool { return !st.Covers(a) }) {
		return false
	}
	if want.Principal.everybody() {
		if !st.Principal.everybody() {
			return false
		}
	} else if slices.ContainsFunc(want.Principal.Service, func(s string) bool { return !st.AppliesTo(s) }) {
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
// pattern without wildcards.
func overlap(a, b string) bool {
	// ends[j] says whether a[i:] and b[j:] overlap. The loops start at the end.
	var next []bool
	for i := len(a); i >= 0; i-- {
		ends := make([]bool, len(b)+1)
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
			}
		}
		next = ends
	}
	return next[0]
}
