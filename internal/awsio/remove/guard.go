package remove

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/relight-aws/relight/internal/catalog"
)

// The guard restores parts of the stacks. CloudFormation does not know those.

func lastPart(arn string) string { return arn[strings.LastIndexAny(arn, ":/")+1:] }

// A deployment whose prefix is relight-eu has names that begin with relight-, too. So a
// function, and a queue, have to be of relight's by their whole names.

func (p place) function(name string) bool {
	return slices.ContainsFunc(catalog.Binaries(), func(f catalog.Function) bool { return name == p.want.FunctionName(f) })
}

func (p place) queueNames() (names []string) {
	for _, q := range slices.Concat(p.want.Queues(p.want.HomeRegion), p.want.Parts(p.want.HomeRegion, p.region).Queues) {
		names = append(names, q.Name)
	}
	return names
}

func schedules(ctx context.Context, p place) (items []Item, err error) {
	pages := scheduler.NewListSchedulesPaginator(scheduler.NewFromConfig(p.aws), &scheduler.ListSchedulesInput{NamePrefix: aws.String(p.want.Name("")), GroupName: aws.String("default")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, s := range page.Schedules {
			i := Item{Name: aws.ToString(s.Name)}
			if s.Target == nil || !p.function(lastPart(aws.ToString(s.Target.Arn))) {
				i.Why = "it has relight's name and does not invoke a function of relight's"
			}
			items = append(items, i)
		}
	}
	return items, nil
}

func deleteSchedule(ctx context.Context, p place, i Item) error {
	_, err := scheduler.NewFromConfig(p.aws).DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: aws.String(i.Name), GroupName: aws.String("default")})
	return err
}

func mappings(ctx context.Context, p place) (items []Item, err error) {
	pages := lambda.NewListEventSourceMappingsPaginator(lambda.NewFromConfig(p.aws), &lambda.ListEventSourceMappingsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, m := range page.EventSourceMappings {
			queue, function := lastPart(aws.ToString(m.EventSourceArn)), lastPart(aws.ToString(m.FunctionArn))
			if slices.Contains(p.queueNames(), queue) && p.function(function) {
				items = append(items, Item{Name: queue + " to " + function, id: aws.ToString(m.UUID)})
			}
		}
	}
	return items, nil
}

func deleteMapping(ctx context.Context, p place, i Item) error {
	_, err := lambda.NewFromConfig(p.aws).DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: aws.String(i.id)})
	return err
}

// rules lists the rules on the default bus: relight's own bus goes with its stack.
func rules(ctx context.Context, p place) (items []Item, err error) {
	client := eventbridge.NewFromConfig(p.aws)
	ours := p.queueNames()
	in := &eventbridge.ListRulesInput{NamePrefix: aws.String(p.want.Name(""))}
	for {
		page, err := client.ListRules(ctx, in)
		if err != nil {
			return items, err
		}
		for _, r := range page.Rules {
			targets, err := client.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: r.Name})
			if err != nil {
				return items, err
			}
			i := Item{Name: aws.ToString(r.Name)}
			for _, t := range targets.Targets {
				to := lastPart(aws.ToString(t.Arn))
				if !slices.Contains(ours, to) && to != p.want.BusName() {
					i.Why = "it has relight's name and sends to " + aws.ToString(t.Arn)
				}
			}
			if len(targets.Targets) == 0 {
				i.Why = "it has relight's name and no target, so somebody else may have made it"
			}
			items = append(items, i)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return items, nil
		}
	}
}

func deleteRule(ctx context.Context, p place, i Item) error {
	client := eventbridge.NewFromConfig(p.aws)
	targets, err := client.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(i.Name)})
	if err != nil {
		return err
	}
	var ids []string
	for _, t := range targets.Targets {
		ids = append(ids, aws.ToString(t.Id))
	}
	if len(ids) > 0 { // EventBridge deletes no rule that has targets
		if _, err := client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String(i.Name), Ids: ids}); err != nil {
			return err
		}
	}
	_, err = client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String(i.Name)})
	return err
}

// queues lists the queues with relight's names. A dead-letter queue is relight's if one of
// relight's queues sends its dead letters there.
func queues(ctx context.Context, p place) (items []Item, err error) {
	client := sqs.NewFromConfig(p.aws)
	ours := p.queueNames()
	dead := "" // the redrive policies of relight's queues
	pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String(p.want.Name("")), MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return items, err
		}
		for _, url := range page.QueueUrls {
			i := Item{Name: lastPart(url), id: url}
			marked, redrive, err := p.queue(ctx, client, url)
			if missing(err) {
				continue
			}
			if err != nil {
				return items, err
			}
			switch {
			case !slices.Contains(ours, i.Name):
				i.Why = "it has relight's name and is no queue of relight's"
			case !marked:
				i.Why = p.notTagged()
			default:
				dead += redrive
			}
			items = append(items, i)
		}
	}
	for n, i := range items {
		if i.Why == p.notTagged() && strings.Contains(dead, ":"+i.Name+`"`) {
			items[n].Why = ""
		}
	}
	return items, nil
}

// queue reports whether a queue has the tag, or a policy that admits relight's rules, and
// returns its redrive policy.
func (p place) queue(ctx context.Context, client *sqs.Client, url string) (marked bool, redrive string, err error) {
	tags, err := client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: aws.String(url)})
	if err != nil {
		return false, "", err
	}
	about, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy, sqstypes.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		return false, "", err
	}
	marked = tags.Tags[ownerKey] == p.want.Prefix || strings.Contains(about.Attributes["Policy"], ":rule/"+p.want.Name(""))
	return marked, about.Attributes["RedrivePolicy"], nil
}

func deleteQueue(ctx context.Context, p place, i Item) error {
	_, err := sqs.NewFromConfig(p.aws).DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: aws.String(i.id)})
	return err
}
