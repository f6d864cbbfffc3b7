package catalog

import (
	"fmt"
	"slices"
)

// A Severity says how bad what a message reports is. Kinds, watched calls with
// advice and the codes of findings each have one, in their own tables.
type Severity string

// These are the severities, the worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Bulk is how many protections a message restores at least if they make it High
// whatever they are.
const Bulk = 5

// severities lists the severities and what each means, in Markdown for the docs.
var severities = []struct {
	severity Severity
	means    string
}{
	{Critical, "something is not restored; somebody attacked relight itself; or the trail, the topic or its key does not work"},
	{High, fmt.Sprintf("the trail, the topic, the delivery role or a log group was changed or deleted, or at least %d protections at once, and relight restored them; or people should check a call soon", Bulk)},
	{Low, "one alarm, filter or flow log was off, and relight restored it; or people should check something in the next days"},
	{Info, "relight created what was not there before: the flow log of a new VPC, or everything in its first sweep"},
}

// Severities returns the severities, the worst first.
func Severities() []Severity {
	all := make([]Severity, len(severities))
	for i, row := range severities {
		all[i] = row.severity
	}
	return all
}

// Means says when a message has the severity, in Markdown.
func (s Severity) Means() string { return severities[slices.Index(Severities(), s)].means }

// ParseSeverity returns the severity of a name.
func ParseSeverity(name string) (Severity, error) {
	if s := Severity(name); slices.Contains(Severities(), s) {
		return s, nil
	}
	return "", fmt.Errorf("there is no severity %q: use %s, %s, %s or %s", name, Critical, High, Low, Info)
}

// AtLeast reports whether s is as bad as o or worse. What is no severity is not as
// bad as any.
func (s Severity) AtLeast(o Severity) bool {
	i := slices.Index(Severities(), s)
	return i >= 0 && (i <= slices.Index(Severities(), o) || !slices.Contains(Severities(), o))
}

// Worst returns the worst of some severities, Info if there is none.
func Worst(of ...Severity) Severity {
	worst := Info
	for _, s := range of {
		if s.AtLeast(worst) {
			worst = s
		}
	}
	return worst
}

// Severity returns the severity of the restoration of one protection of a kind.
func (k Kind) Severity() Severity { return k.row().severity }
