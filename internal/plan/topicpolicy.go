package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// A topicPolicy is a topic's resource policy, with whatever relight does not understand of
// it. Source of its grammar: IAM User Guide, "Grammar of the IAM JSON policy
// language".
type topicPolicy struct {
	fields     map[string]json.RawMessage // without Statement
	statements []topicStatement
}

type topicStatement struct {
	Sid          string
	Effect       string
	Action       words
	NotAction    words
	Resource     words
	NotResource  words
	Principal    *principal
	NotPrincipal *principal
	Condition    map[string]map[string]words // operator to key to values

	raw json.RawMessage
}

// parseTopicPolicy reads a policy; an empty one has no statements.
func parseTopicPolicy(text string) (topicPolicy, error) {
	if text == "" {
		return topicPolicy{}, nil
	}
	p := topicPolicy{}
	if err := json.Unmarshal([]byte(text), &p.fields); err != nil {
		return topicPolicy{}, err
	}
	list := p.fields["Statement"]
	delete(p.fields, "Statement")
	var raws []json.RawMessage
	switch {
	case len(list) == 0:
		return topicPolicy{}, errors.New("it has no Statement")
	case list[0] == '{':
		raws = []json.RawMessage{list}
	default:
		if err := json.Unmarshal(list, &raws); err != nil {
			return topicPolicy{}, err
		}
	}
	for _, raw := range raws {
		st := topicStatement{raw: raw}
		if err := json.Unmarshal(raw, &st); err != nil {
			return topicPolicy{}, err
		}
		p.statements = append(p.statements, st)
	}
	return p, nil
}

// text returns the policy as JSON, every statement that was read as it was.
func (p topicPolicy) text() string {
	out := map[string]any{"Version": "2012-10-17"}
	for k, v := range p.fields {
		out[k] = v
	}
	raws := make([]json.RawMessage, len(p.statements))
	for i, st := range p.statements {
		raws[i] = st.raw
	}
	out["Statement"] = raws
	return marshal(out)
}

// marshal returns what always has a form in JSON.
func marshal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// topicStatementOf returns a wanted statement of a topic's policy.
func topicStatementOf(want catalog.TopicStatement, topic string) topicStatement {
	to := parseARN(topic)
	partition, _, _ := strings.Cut(strings.TrimPrefix(topic, "arn:"), ":")
	values := map[string]string{
		catalog.InPartition: partition, catalog.InRegion: to.region, catalog.InAccount: to.account, catalog.InTopic: topic,
	}
	who := map[string]string{"AWS": "*"} // as CloudFormation has everybody
	if want.Service != "" {
		who = map[string]string{"Service": want.Service}
	}
	var what any = want.Actions
	if len(want.Actions) == 1 { // as CloudFormation has it
		what = want.Actions[0]
	}
	when := map[string]map[string]string{}
	for operator, keys := range want.Condition {
		when[operator] = map[string]string{}
		for k, v := range keys {
			when[operator][k] = catalog.Expand(v, values)
		}
	}
	raw := json.RawMessage(marshal(map[string]any{
		"Sid": want.Sid, "Effect": want.Effect, "Principal": who, "Action": what, "Resource": topic, "Condition": when,
	}))
	st := topicStatement{raw: raw}
	if err := json.Unmarshal(raw, &st); err != nil {
		panic(err) // it was JSON a moment ago
	}
	return st
}

// serves reports whether a statement does at least what another does: the
// same, or with fewer conditions.
func (st topicStatement) serves(want topicStatement, topic string) bool {
	if st.Effect != want.Effect || !st.on(topic) {
		return false
	}
	if slices.ContainsFunc(want.Action, func(a string) bool { return !st.covers(a) }) {
		return false
	}
	if everybody := want.Principal.everybody(); everybody && !st.Principal.everybody() || !everybody && !st.means(want.Principal.Service[0]) {
		return false
	}
	for operator, keys := range st.Condition {
		for key, values := range keys {
			wanted, has := lookUp(lookUpOperator(want.Condition, operator), key)
			if !has || !slices.Equal(values, wanted) {
				return false
			}
		}
	}
	return true
}

// lookUp finds a condition key, which may be spelled in any case.
func lookUp(keys map[string]words, key string) (words, bool) {
	for k, v := range keys {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return nil, false
}

func lookUpOperator(c map[string]map[string]words, operator string) map[string]words {
	for o, keys := range c {
		if strings.EqualFold(o, operator) {
			return keys
		}
	}
	return nil
}

// mayDeny reports whether a statement can keep an alarm of an account from
// publishing to a topic. One that holds for nothing CloudWatch does, by a
// condition whose outcome is known, cannot: no TLS, no AWS service, another
// account.
func (st topicStatement) mayDeny(topic, account string) bool {
	if st.Effect != "Deny" || !st.covers("sns:Publish") || !st.means(catalog.AlarmService) || !st.on(topic) {
		return false
	}
	for operator, keys := range st.Condition {
		operator = strings.TrimSuffix(strings.ToLower(operator), "ifexists")
		for key, values := range keys {
			switch key = strings.ToLower(key); {
			case operator == "bool" && (key == "aws:securetransport" || key == "aws:principalisawsservice"):
				if !slices.ContainsFunc(values, func(v string) bool { return !strings.EqualFold(v, "false") }) {
					return false
				}
			case operator == "stringnotequals" && key == "aws:sourceaccount" && slices.Contains(values, account),
				operator == "stringequals" && key == "aws:sourceaccount" && !slices.Contains(values, account):
				return false
			}
		}
	}
	return true
}

// AdmitsAlarms returns what keeps CloudWatch from publishing to somebody's
// topic by its policy, or "". A statement with conditions is taken at its
// word: they cannot all be judged from here.
func AdmitsAlarms(text string) string {
	p, err := parseTopicPolicy(text)
	if err != nil {
		return "its policy cannot be read"
	}
	allowed := false
	for _, st := range p.statements {
		if !st.covers("sns:Publish") || !st.means(catalog.AlarmService) {
			continue
		}
		if st.Effect == "Deny" && len(st.Condition) == 0 {
			return "its policy denies it"
		}
		allowed = allowed || st.Effect == "Allow"
	}
	if !allowed {
		return "its policy does not name " + catalog.AlarmService
	}
	return ""
}

// keyUse is what CloudWatch needs of a key to publish to a topic encrypted with
// it. The policy has to say kms:GenerateDataKey*; SNS calls kms:GenerateDataKey.
// Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and
// costs".
var keyUse = []string{"kms:Decrypt", "kms:GenerateDataKey"}

// admitsToKey returns what keeps CloudWatch from using a topic's key by the
// key's policy, or "". A statement with conditions is taken at its word, as in
// AdmitsAlarms.
func admitsToKey(text, key string) string {
	p, err := parseTopicPolicy(text)
	if err != nil {
		return "its policy cannot be read: " + err.Error()
	}
	for _, action := range keyUse {
		allowed := false
		for _, st := range p.statements {
			if !st.covers(action) || !st.means(catalog.AlarmService) || !st.on(key) {
				continue
			}
			if st.Effect == "Deny" && len(st.Condition) == 0 {
				return "its policy denies " + catalog.AlarmService + " " + action
			}
			allowed = allowed || st.Effect == "Allow"
		}
		if !allowed {
			return "its policy does not allow " + catalog.AlarmService + " " + action
		}
	}
	return ""
}

func (st topicStatement) covers(action string) bool {
	if len(st.NotAction) > 0 {
		return !st.NotAction.match(action)
	}
	return st.Action.match(action)
}

// on reports whether a statement is about a topic; one that names no resource
// is.
func (st topicStatement) on(topic string) bool {
	if len(st.NotResource) > 0 {
		return !st.NotResource.match(topic)
	}
	return len(st.Resource) == 0 || st.Resource.match(topic)
}

// means reports whether a statement is about a service.
func (st topicStatement) means(service string) bool {
	if st.NotPrincipal != nil {
		return !st.NotPrincipal.has(service)
	}
	return st.Principal.has(service)
}

// A principal is "*" or an object of lists.
type principal struct{ AWS, Service words }

func (p *principal) everybody() bool { return p != nil && slices.Contains(p.AWS, "*") }

func (p *principal) has(service string) bool {
	return p.everybody() || p != nil && (slices.Contains(p.Service, service) || slices.Contains(p.Service, "*"))
}

// UnmarshalJSON reads either form of a principal.
func (p *principal) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"*"` {
		p.AWS = words{"*"}
		return nil
	}
	type object principal
	return json.Unmarshal(raw, (*object)(p))
}

// words are one value or a list of them.
type words []string

// UnmarshalJSON reads either form. A condition's value may be a boolean or a
// number.
func (w *words) UnmarshalJSON(raw []byte) error {
	var node any
	if err := json.Unmarshal(raw, &node); err != nil {
		return err
	}
	list, ok := node.([]any)
	if !ok {
		list = []any{node}
	}
	*w = nil
	for _, v := range list {
		switch v.(type) {
		case string, bool, float64:
			*w = append(*w, fmt.Sprint(v))
		default:
			return fmt.Errorf("%s is neither a value nor a list of values", raw)
		}
	}
	return nil
}

// match reports whether one of the words stands for a name, "*" and "?" being
// wild and case of no matter.
func (w words) match(name string) bool {
	return slices.ContainsFunc(w, func(pattern string) bool { return glob(strings.ToLower(pattern), strings.ToLower(name)) })
}

func glob(pattern, name string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := range len(name) + 1 {
				if glob(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		case name == "" || pattern[0] != '?' && pattern[0] != name[0]:
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}
