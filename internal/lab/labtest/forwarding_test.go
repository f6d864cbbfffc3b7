package labtest

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/relight-aws/relight/internal/lab"
)

// An event reaches a bus in another region through a rule, its target and the
// target's role, and in no other way.
func TestForwarding(t *testing.T) {
	const far, home, name = "eu-west-2", lab.Region, "forward"
	const pattern = `{"source":["aws.logs"],"detail":{"eventName":["CreateLogGroup"]}}`
	eb := eventbridge.NewFromConfig(config(far))
	bus, err := eventbridge.NewFromConfig(config(home)).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(name)})
	must(t, err)
	s := subscribe(t, home, name, `{"region":["`+far+`"]}`)
	target := ebtypes.Target{Id: aws.String("bus"), Arn: bus.EventBusArn, RoleArn: aws.String(role(t, name, "events.amazonaws.com", "events:PutEvents"))}
	put := func() { rule(t, far, "default", name, pattern, target) }
	put()

	// A forwarded event is not forwarded again: not even to this queue.
	onward, err := eventbridge.NewFromConfig(config(far)).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String("onward")})
	must(t, err)
	beyond := subscribe(t, far, "onward", `{"source":["aws.logs"]}`)
	rule(t, home, name, "onward", `{"source":["aws.logs"]}`, ebtypes.Target{Id: aws.String("bus"), Arn: onward.EventBusArn, RoleArn: target.RoleArn})

	steps := []struct {
		name   string
		change func() error
		undo   func()
		want   int
	}{
		{name: "deployed", want: 1},
		{name: "no target", change: func() error {
			_, err := eb.RemoveTargets(t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String(name), Ids: []string{"bus"}})
			return err
		}, undo: put},
		{name: "rule disabled", change: func() error {
			_, err := eb.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: aws.String(name)})
			return err
		}, undo: func() {
			_, err := eb.EnableRule(t.Context(), &eventbridge.EnableRuleInput{Name: aws.String(name)})
			must(t, err)
		}},
		{name: "role without permission", change: func() error { allow(t, name, ""); return nil }, undo: func() { allow(t, name, "events:PutEvents") }},
		{name: "all undone", want: 1},
	}
	logs := cloudwatchlogs.NewFromConfig(config(far))
	for i, step := range steps {
		if step.change != nil {
			must(t, step.change())
		}
		_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(fmt.Sprint("forward-", i))})
		must(t, err)
		got := s.next()
		if len(got) != step.want {
			t.Errorf("%s: %d events, want %d", step.name, len(got), step.want)
		}
		for _, e := range got {
			if e.Region != far || e.Record.AWSRegion != far || e.Account != lab.Account || e.ID == "" {
				t.Errorf("%s: arrived as %+v", step.name, e.Event)
			}
		}
		if step.undo != nil {
			step.undo()
		}
	}
	if got := beyond.next(); len(got) != 0 {
		t.Errorf("%d events were forwarded twice", len(got))
	}
}
