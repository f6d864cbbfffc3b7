package plan

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// A policyStatement is what matters of one statement of an IAM policy.
// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
type policyStatement struct {
	Effect      string
	Action      texts
	NotAction   texts
	Resource    texts
	NotResource texts
	Condition   map[string]map[string]any // by operator and key
}

// texts is a string or a list of them.
type texts []string

// UnmarshalJSON reads either form.
func (t *texts) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*t = texts{""}
		return json.Unmarshal(raw, &(*t)[0])
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// statementsOf returns the statements of a document; ok is false for what is
// no policy.
func statementsOf(document string) (statements []policyStatement, ok bool) {
	var many struct{ Statement []policyStatement }
	if json.Unmarshal([]byte(document), &many) == nil {
		return many.Statement, true
	}
	var one struct{ Statement policyStatement }
	err := json.Unmarshal([]byte(document), &one)
	return []policyStatement{one.Statement}, err == nil
}

// denies returns that a policy denies something that grants allow, always, as
// "it denies logs:PutLogEvents", or perhaps: on a condition, which cannot be
// judged from here. "" is for neither. What cannot be read denies nothing: IAM
// takes no such policy.
func denies(document string, grants []catalog.Grant, at string) (always, perhaps string) {
	statements, _ := statementsOf(document)
	for _, st := range statements {
		if st.Effect != "Deny" || st.revokesSessions(at) {
			continue
		}
		action := st.hits(grants)
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

// hits returns the first action of grants that a statement is about, or "".
func (st policyStatement) hits(grants []catalog.Grant) string {
	for _, g := range grants {
		for _, action := range g.Actions {
			if st.names(action) && slices.ContainsFunc(g.Resources, st.mayMean) {
				return action
			}
		}
	}
	return ""
}

// revokesSessions reports whether a statement is only about sessions issued
// before a time that has passed: services get new ones by themselves. One
// about a time to come denies until then. Source: IAM User Guide, "Revoke IAM
// role temporary security credentials".
func (st policyStatement) revokesSessions(at string) bool {
	before := st.Condition["DateLessThan"]
	if len(st.Condition) != 1 || len(before) != 1 {
		return false
	}
	for key, value := range before {
		text, _ := value.(string)
		issued := utc.FindStringSubmatch(text)
		if !strings.EqualFold(key, "aws:TokenIssueTime") || issued == nil || issued[1] > at {
			return false
		}
	}
	return true
}

// utc is a time as IAM's console writes it.
var utc = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z$`)

// notAllowed returns that a boundary does not allow something that grants
// allow, or "". A statement with conditions is taken at its word: they cannot
// be judged from here.
func notAllowed(document string, grants []catalog.Grant) string {
	statements, _ := statementsOf(document)
	for _, g := range grants {
		for _, action := range g.Actions {
			if !slices.ContainsFunc(statements, func(st policyStatement) bool {
				return st.Effect == "Allow" && st.names(action) && slices.ContainsFunc(g.Resources, st.mayMean)
			}) {
				return "it does not allow " + action
			}
		}
	}
	return ""
}

// names reports whether a statement is about an action.
func (st policyStatement) names(action string) bool {
	is := func(pattern string) bool { return overlap(strings.ToLower(pattern), strings.ToLower(action)) }
	if len(st.NotAction) > 0 {
		return !slices.ContainsFunc(st.NotAction, is)
	}
	return slices.ContainsFunc(st.Action, is)
}

// mayMean reports whether a statement is about some of what a resource
// pattern means.
func (st policyStatement) mayMean(resource string) bool {
	if len(st.NotResource) > 0 {
		// A pattern that matches the other's text, its wildcards as they
		// stand, matches everything that the other does.
		return !slices.ContainsFunc(st.NotResource, func(p string) bool {
			return overlapARN(variable.ReplaceAllString(p, "\x00"), literal.Replace(resource))
		})
	}
	return slices.ContainsFunc(st.Resource, func(p string) bool { return overlapARN(variable.ReplaceAllString(p, "*"), resource) })
}

// overlapARN reports whether two patterns of ARNs have one in common. A
// wildcard stands for text within one of an ARN's six parts. Source: IAM User
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

// variable is a policy variable, whose value is not known here.
var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// literal makes wildcards mean themselves alone.
var literal = strings.NewReplacer("*", "\x01", "?", "\x02")

// overlap reports whether some text matches both patterns, in which * stands
// for any text and ? for any one character.
func overlap(a, b string) bool {
	// ends[j] says whether a[i:] and b[j:] overlap, from the back.
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

// SameDocument reports whether two policy documents mean the same: order,
// single values in or out of a list, Sids and the case of actions and keys
// aside. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
func SameDocument(a, b string) bool { return canonical(a) == canonical(b) }

// canonical returns one spelling of a policy document, or the text as it is
// where it is none.
func canonical(document string) string {
	var doc struct {
		Version   string
		Statement json.RawMessage
	}
	if json.Unmarshal([]byte(document), &doc) != nil {
		return document
	}
	var list []map[string]any
	if json.Unmarshal(doc.Statement, &list) != nil {
		var one map[string]any
		if json.Unmarshal(doc.Statement, &one) != nil {
			return document
		}
		list = []map[string]any{one}
	}
	statements := make([]string, len(list))
	for i, st := range list {
		delete(st, "Sid")
		for key, v := range st {
			switch key {
			case "Action", "NotAction":
				st[key] = listOf(v, strings.ToLower)
			case "Resource", "NotResource":
				st[key] = listOf(v, nil)
			case "Principal", "NotPrincipal":
				st[key] = eachList(v, nil)
			case "Condition":
				operators, _ := v.(map[string]any)
				for operator, keys := range operators {
					operators[operator] = eachList(keys, strings.ToLower)
				}
			}
		}
		statements[i] = mustJSON(st)
	}
	slices.Sort(statements)
	return doc.Version + " " + strings.Join(slices.Compact(statements), "\n")
}

// eachList makes every value of an object a sorted list, and spells its keys
// as asked.
func eachList(v any, spell func(string) string) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, inner := range object {
		if spell != nil {
			k = spell(k)
		}
		out[k] = listOf(inner, nil)
	}
	return out
}

// listOf returns a value, or a list of values, as a sorted list of texts.
func listOf(v any, spell func(string) string) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok { // numbers and booleans of conditions
			s = mustJSON(e)
		}
		if spell != nil {
			s = spell(s)
		}
		out[i] = s
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func mustJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // it was JSON a moment ago
		panic(err)
	}
	return string(raw)
}
