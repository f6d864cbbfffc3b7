package plan

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// A FunctionState is one of relight's own functions as Lambda describes it.
type FunctionState struct {
	Reserved *int32 // the concurrency reserved for it; nil for none
	Modified int64  // when its code or settings last changed, in milliseconds since the epoch; 0 if that cannot be read
	Settings Settings
}

// Settings are the marks of what a function consists of, by the name of the setting:
// see MarkSetting. Their values stay in Lambda: an environment may be secret.
type Settings map[string]string

// These settings have names of their own in findings. Source of the names: AWS Lambda
// API Reference, FunctionConfiguration.
const (
	settingCode = "CodeSha256"
	settingRole = "Role"
	settingEnv  = "Environment"
)

// EnvSetting returns the name of a variable of the environment among Settings.
func EnvSetting(variable string) string { return settingEnv + "." + variable }

// MarkSetting returns the mark of a setting's value. It is long enough that nobody finds
// another value with the same mark.
func MarkSetting(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// mark returns one mark for all settings.
func (s Settings) mark() string { return MarkSetting(encoded(s)) }

// mostNamed is how many changed settings a finding names.
const mostNamed = 10

// changed names what differs from earlier settings.
func (s Settings) changed(before Settings) string {
	var names []string
	for name := range merged(s, before) {
		if s[name] == before[name] {
			continue
		}
		switch variable, env := strings.CutPrefix(name, EnvSetting("")); {
		case name == settingCode:
			name = "code"
		case name == settingRole:
			name = "role"
		case env:
			name = fmt.Sprintf("environment variable %.100s", variable)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if more := len(names) - mostNamed; more > 0 {
		names = append(names[:mostNamed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// merged returns the entries of both maps.
func merged[K comparable, V any, M ~map[K]V](a, b M) M {
	all := M{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// A StackState is what CloudFormation says of relight's own stack.
type StackState struct {
	Mark    string // of this stack and its last change; "" if there is no stack
	Changed int64  // when it was created or last changed, in milliseconds since the epoch
}

// Functions are what sweeps have seen of relight's own functions, by name.
type Functions map[string]FunctionMemory

// A FunctionMemory is what a sweep has seen of a function after a deployment.
type FunctionMemory struct {
	Stack    string   `json:"stack"` // StackState.Mark
	Settings Settings `json:"settings"`
	Other    string   `json:"other,omitempty"` // mark of the settings that it has now and that no deployment explains; "" if it is as remembered
}

// Settled reports whether nothing is to be learnt of a function in this state of the
// stack, and nothing was wrong with it. A function that is not settled is read in
// each sweep.
func (f Functions) Settled(name string, stack StackState) bool {
	m, known := f[name]
	return known && m.Stack == stack.Mark && m.Other == ""
}

// slack is how many milliseconds before a change of the stack a function may have changed
// by it. Belief stack-change-begins is assumed: CloudFormation may as well say when it
// ended, and relight takes none for a deployment that lasts longer.
const slack = 60 * 60 * 1000

// compare returns what to remember of a function, and what of it changed although no
// deployment explains that. A deployment explains what changed with it, once: what was
// found before it stays a finding.
func (f Functions) compare(name string, got FunctionState, stack StackState) (now FunctionMemory, changed string) {
	was, known := f[name]
	deployed := stack.Mark != was.Stack && got.Modified >= stack.Changed-slack && got.Settings.mark() != was.Other
	switch {
	case maps.Equal(was.Settings, got.Settings), !known, deployed && stack.Mark != "":
		return FunctionMemory{Stack: stack.Mark, Settings: got.Settings}, ""
	}
	was.Other = got.Settings.mark()
	return was, got.Settings.changed(was.Settings)
}

// With returns what is remembered after a sweep has seen some functions.
func (f Functions) With(seen Functions) Functions {
	if len(seen) == 0 {
		return f
	}
	return merged(f, seen)
}

// functions plans relight's own functions, as far as they were looked at. relight
// writes none: a function with that right would be worth taking over.
func (state *GuardState) functions(p *Plan, got Observed) {
	for name, seen := range state.Functions {
		p.touch(got, catalog.Lambda, name)
		if seen == nil {
			p.find(GuardFunctionGone, Args{"function": name})
			continue
		}
		healthy := true
		if seen.Reserved != nil {
			p.Actions = append(p.Actions, FreeFunction{Name: name, Reason: fmt.Sprintf("it is limited to %d at once; the stack sets no limit", *seen.Reserved)})
			healthy = false
		}
		if state.Compared {
			now, changed := state.Known.compare(name, *seen, state.Stack)
			p.Functions = p.Functions.With(Functions{name: now})
			if changed != "" {
				p.find(GuardFunctionChanged, Args{"function": name, "changed": changed})
				healthy = false
			}
		}
		if healthy {
			p.Healthy++
		}
	}
}
