package report

import (
	"strings"
)

// These keep a document within what a channel shows whole.
const (
	chatTitle = 250
	chatText  = 2500
	chatStep  = 350
	chatWord  = 75
	chatLines = 6 // of each part
)

// A Chat is a custom notification of Amazon Q Developer in chat applications, which
// shows it in Slack and Microsoft Teams. Source: its Administrator Guide, "Custom
// notifications".
type Chat struct {
	Version  string       `json:"version"`
	Source   string       `json:"source"`
	ID       string       `json:"id,omitempty"`
	Content  ChatContent  `json:"content"`
	Metadata ChatMetadata `json:"metadata"`
}

// A ChatContent is what people see.
type ChatContent struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

// A ChatMetadata is for custom actions and threads of a channel.
type ChatMetadata struct {
	ThreadID          string            `json:"threadId"`
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType"`
	RelatedResources  []string          `json:"relatedResources,omitempty"`
	AdditionalContext map[string]string `json:"additionalContext"`
}

// chat renders a document for a chat channel. Messages about one account and caller
// are one thread.
func (d *Document) chat() Chat {
	small := *d
	small.preface = ""
	var lines []string
	said := small.text(chatLines)
	head, _, _ := strings.Cut(said, "\n\nIf this was planned: ")
	_, head, _ = strings.Cut(head, "\n\n") // the summary is the title
	head, _, _ = strings.Cut(head, "\nReference: ")
	for l := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
		label, rest, found := strings.Cut(l, ": ")
		if found {
			l = "*" + label + ":* " + markdown(rest)
		}
		lines = append(lines, l)
	}
	description := strings.Join(lines, "\n")
	if len(description) > chatText {
		description = strings.ToValidUTF8(description[:chatText], "") + "…"
	}
	planned, attack := d.toDo()
	var steps []string
	if len(planned) > 0 {
		steps = append(steps, "If this was planned: "+strings.Join(planned, "; "))
	}
	for _, s := range attack {
		what, _, _ := strings.Cut(s, ": aws ")
		if step := "If nobody planned it: " + s; len(step) <= chatStep {
			steps = append(steps, markdown(step))
		} else {
			steps = append(steps, markdown(trim("If nobody planned it: "+what, chatStep)))
		}
	}
	thread := "relight " + d.Account
	if len(d.Actors) > 0 {
		thread += " " + shortActor(d.Actors[0])
	}
	c := Chat{
		Version: "1.0", Source: "custom",
		Content: ChatContent{
			TextType: "client-markdown", Title: trim(mark[string(d.Severity)]+" "+markdown(d.Subject), chatTitle), Description: description, NextSteps: steps,
			Keywords: []string{string(d.Severity), string(d.Outcome), d.Account},
		},
		Metadata: ChatMetadata{
			ThreadID: trim(markdown(thread), chatTitle), Summary: trim(markdown(d.Summary), chatTitle), EventType: "relight." + string(d.Outcome),
			AdditionalContext: map[string]string{"severity": string(d.Severity), "account": d.Account, "regions": strings.Join(d.Regions, " ")},
		},
	}
	for _, k := range d.Kinds {
		c.Content.Keywords = append(c.Content.Keywords, string(k))
	}
	for i, cause := range d.Causes {
		if i == 0 {
			c.ID = cause.EventID
			c.Metadata.AdditionalContext["event"] = trim(markdown(cause.EventName), chatWord)
		}
	}
	for i, item := range d.Restored {
		if i < chatLines {
			c.Metadata.RelatedResources = append(c.Metadata.RelatedResources, trim(markdown(item.Target), chatTitle))
		}
	}
	return c
}

// mark is the emoji of each severity.
var mark = map[string]string{"critical": ":rotating_light:", "high": ":red_circle:", "low": ":large_yellow_circle:", "info": ":information_source:"}

// markdown takes from a text what a channel would not show as it is: links, mentions
// and code. Callers may have written a part of it.
func markdown(s string) string {
	return strings.NewReplacer("<", "(", ">", ")", "`", "'", "](", "] (", "*", "∗").Replace(s)
}

func trim(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}
