package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Attributes of relight's messages by which a filter policy can choose.
const (
	AttributeSeverity = "severity"
	AttributeKind     = "kind"
	AttributeAccount  = "account"
	AttributeRegion   = "region"
	AttributeActor    = "actor"
	AttributeOutcome  = "outcome"
	AttributeCode     = "code"
)

// Attributes lists the attributes of relight's messages. A message lacks those for which
// it has no value.
func Attributes() []string {
	return []string{
		AttributeSeverity, AttributeKind, AttributeAccount, AttributeRegion, AttributeActor, AttributeOutcome, AttributeCode,
	}
}

// A FilterPolicy is an SNS filter policy over message attributes: for each attribute, the
// values of which a message must have one. The zero FilterPolicy lets everything through,
// every other one drops each message without attributes, such as those of alarms.
//
// Sources: Amazon SNS Developer Guide, "Amazon SNS subscription filter policies", "Key
// matching" (an empty set of attributes never matches), "String value matching".
type FilterPolicy map[string][]any

// String returns the filter as JSON that is the same for filters that mean the same,
// as far as that shows in their form; "" if it lets everything through.
func (f FilterPolicy) String() string {
	if len(f) == 0 {
		return ""
	}
	ordered := map[string]any{}
	for k, values := range f {
		ordered[k] = order(values)
	}
	text, err := encodeJSON(ordered)
	if err != nil { // what JSON was read from always marshals
		return fmt.Sprint(map[string][]any(f))
	}
	return text
}

// order sorts lists of values, of which a message needs one. A range of numbers keeps
// its order.
func order(value any) any {
	switch v := value.(type) {
	case []any:
		byText := map[string]any{}
		for _, inner := range v {
			inner = order(inner)
			text, _ := encodeJSON(inner)
			byText[text] = inner
		}
		list := []any{}
		for _, text := range slices.Sorted(maps.Keys(byText)) {
			list = append(list, byText[text])
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for k, inner := range v {
			if object[k] = inner; k != "numeric" {
				object[k] = order(inner)
			}
		}
		return object
	}
	return value
}

func encodeJSON(v any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// ParseFilterPolicy reads a filter policy as SNS returns it; "" is the one that lets
// everything through. It returns an error for one that relight never writes: over the
// body of messages, or with an operator across attributes.
func ParseFilterPolicy(text string) (FilterPolicy, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var f FilterPolicy
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&f); err != nil || decoder.More() {
		return nil, errors.New("it is not a filter policy over attributes")
	}
	return f, nil
}

// SameFilterPolicy reports whether the filter policy that SNS returns for a subscription
// means the wanted one.
func SameFilterPolicy(got, want string) bool {
	f, err := ParseFilterPolicy(got)
	return err == nil && f.String() == want
}

// Passes reports whether a message with these attributes passes the filter.
func (f FilterPolicy) Passes(attributes map[string][]string) bool {
	for k, values := range f {
		if len(attributes) == 0 || !slices.ContainsFunc(values, func(v any) bool { return matches(v, attributes[k]) }) {
			return false
		}
	}
	return true
}

// PassesAll reports whether every message of a severity passes the filter, whatever
// its other attributes are.
func (f FilterPolicy) PassesAll(s Severity) bool {
	for k := range f {
		if k != AttributeSeverity {
			return false
		}
	}
	return f.Passes(map[string][]string{AttributeSeverity: {string(s)}})
}

// matches reports whether one value of a filter matches the texts of an attribute, which
// a message does not have if there are none.
func matches(want any, got []string) bool {
	object, isObject := want.(map[string]any)
	if !isObject {
		text, isText := want.(string)
		return isText && slices.Contains(got, text)
	}
	for operator, operand := range object {
		text := func(f func(got, want string) bool) bool {
			return slices.ContainsFunc(textsOf(operand), func(want string) bool {
				return slices.ContainsFunc(got, func(got string) bool { return f(got, want) })
			})
		}
		switch operator {
		case "exists":
			return operand == (len(got) > 0)
		case "prefix":
			return text(strings.HasPrefix)
		case "suffix":
			return text(strings.HasSuffix)
		case "equals-ignore-case":
			return text(strings.EqualFold)
		case "anything-but":
			if inner, ok := operand.(map[string]any); ok {
				return len(got) > 0 && !matches(inner, got)
			}
			return len(got) > 0 && !text(func(got, want string) bool { return got == want })
		}
	}
	return false
}

func textsOf(operand any) []string {
	list, isList := operand.([]any)
	if !isList {
		list = []any{operand}
	}
	var texts []string
	for _, v := range list {
		if text, ok := v.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// Limits of a filter policy. Source: Amazon SNS Developer Guide, "Filter policy
// constraints in Amazon SNS".
const (
	filterKeys         = 5
	filterCombinations = 150
)

// Check returns what keeps SNS from accepting the filter, or the filter from choosing
// among relight's messages, whose attributes are texts. Each is a part of a sentence
// that follows the name of the filter.
func (f FilterPolicy) Check() []string {
	var problems []string
	combinations := 1
	for _, k := range slices.Sorted(maps.Keys(f)) {
		if !slices.Contains(Attributes(), k) {
			problems = append(problems, fmt.Sprintf(" chooses by %q, which no message of relight's has: use some of %s", k, strings.Join(Attributes(), ", ")))
		}
		if len(f[k]) == 0 {
			problems = append(problems, "."+k+" is an empty list, which SNS refuses: name values, or leave it out")
		}
		for i, v := range f[k] {
			if why := checkValue(v); why != "" {
				problems = append(problems, fmt.Sprintf(".%s[%d] %s", k, i, why))
			}
		}
		combinations *= max(1, len(f[k]))
	}
	if len(f) > filterKeys {
		problems = append(problems, fmt.Sprintf(" has %d attributes: use up to %d, because SNS accepts no more", len(f), filterKeys))
	}
	if combinations > filterCombinations {
		problems = append(problems, fmt.Sprintf(" has %d combinations of values: use up to %d, because SNS accepts no more", combinations, filterCombinations))
	}
	return problems
}

// checkValue returns what is wrong with one value of a filter, or "".
func checkValue(v any) string {
	const operators = "use exists, prefix, suffix, equals-ignore-case or anything-but"
	object, isObject := v.(map[string]any)
	if !isObject {
		if _, isText := v.(string); !isText {
			return "is no text, and the attributes of relight's messages are texts: use text in double quotes"
		}
		return ""
	}
	if len(object) != 1 {
		return "has " + strconv.Itoa(len(object)) + " operators: " + operators
	}
	for operator, operand := range object {
		texts := textsOf(operand)
		list, isList := operand.([]any)
		inner, isInner := operand.(map[string]any)
		switch {
		case operator == "exists":
			if _, ok := operand.(bool); !ok {
				return "has no true or false behind exists: use one of them"
			}
		case slices.Contains([]string{"prefix", "suffix", "equals-ignore-case"}, operator):
			if isList || len(texts) != 1 || texts[0] == "" {
				return "has no text behind " + operator + ": use text in double quotes"
			}
		case operator == "anything-but" && isInner:
			_, prefix := inner["prefix"]
			_, suffix := inner["suffix"]
			if why := checkValue(inner); why != "" || !prefix && !suffix {
				return "has no list, prefix or suffix behind anything-but: use one of them"
			}
		case operator == "anything-but":
			if len(texts) == 0 || isList && len(texts) != len(list) {
				return "has no texts behind anything-but: use a list of texts in double quotes"
			}
		default:
			return fmt.Sprintf("has the operator %q: %s", operator, operators)
		}
	}
	return ""
}
