package awstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// alarm puts an alarm.
func (p *party) alarm(name string, change func(*cloudwatch.PutMetricAlarmInput)) error {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(name), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: types.StatisticSum,
		Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold,
	}
	if change != nil {
		change(in)
	}
	_, err := p.CloudWatch.PutMetricAlarm(p.ctx, in)
	if err == nil {
		p.later(func() {
			_, _ = p.CloudWatch.DeleteAlarms(p.ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
		})
	}
	return err
}

// alarms lists the alarms whose names begin with the clause's name.
func (p *party) alarms(size *int32) (all []types.MetricAlarm, pages int, err error) {
	in := &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(p.id), MaxRecords: size}
	return listed(p, cloudwatch.NewDescribeAlarmsPaginator(p.CloudWatch, in), func(out *cloudwatch.DescribeAlarmsOutput) []types.MetricAlarm {
		return out.MetricAlarms
	})
}

func (p *party) onlyAlarm() (types.MetricAlarm, error) {
	alarms, _, err := p.alarms(nil)
	if err != nil || len(alarms) != 1 {
		return types.MetricAlarm{}, fmt.Errorf("%d alarms, %w", len(alarms), orNil(err))
	}
	return alarms[0], nil
}

func (p *party) topicARN(name string) string {
	return p.arn("sns", name)
}

const putAlarm = "CloudWatch API Reference, PutMetricAlarm"

var alarmClauses = []clause{
	{
		name: "alarm is described as it was put", source: putAlarm, grade: Recorded, record: localstack + "2025-09-19",
		check: func(p *party) error {
			err := p.alarm(p.id, func(in *cloudwatch.PutMetricAlarmInput) {
				in.AlarmDescription, in.TreatMissingData, in.DatapointsToAlarm = aws.String("d"), aws.String("notBreaching"), aws.Int32(1)
				in.AlarmActions, in.OKActions = []string{p.topicARN("a"), p.topicARN("b")}, []string{p.topicARN("c")}
				in.Dimensions = []types.Dimension{{Name: aws.String("x"), Value: aws.String("y")}}
			})
			if err != nil {
				return err
			}
			a, err := p.onlyAlarm()
			if err != nil {
				return err
			}
			slices.Sort(a.AlarmActions)
			return errors.Join(
				want("metric", aws.ToString(a.Namespace)+"/"+aws.ToString(a.MetricName), "n/m"),
				want("statistic", a.Statistic, "Sum"), want("period", aws.ToInt32(a.Period), 300),
				want("periods", aws.ToInt32(a.EvaluationPeriods), 1), want("datapoints", aws.ToInt32(a.DatapointsToAlarm), 1),
				want("threshold", aws.ToFloat64(a.Threshold), 1.0), want("comparison", a.ComparisonOperator, "GreaterThanOrEqualToThreshold"),
				want("missing", aws.ToString(a.TreatMissingData), "notBreaching"), want("description", aws.ToString(a.AlarmDescription), "d"),
				want("alarm actions", a.AlarmActions, []string{p.topicARN("a"), p.topicARN("b")}), want("OK actions", a.OKActions, []string{p.topicARN("c")}),
				want("dimensions", len(a.Dimensions), 1), want("actions enabled", aws.ToBool(a.ActionsEnabled), true),
				want("state", a.StateValue, "INSUFFICIENT_DATA"),
			)
		},
	},
	{
		name: "alarm is overwritten completely", source: putAlarm, grade: Recorded, record: localstack + "2025-09-19, absent members",
		check: func(p *party) error {
			full := func(in *cloudwatch.PutMetricAlarmInput) {
				in.AlarmDescription, in.TreatMissingData = aws.String("d"), aws.String("ignore")
				in.AlarmActions, in.ActionsEnabled = []string{p.topicARN("a")}, aws.Bool(false)
				in.Unit = types.StandardUnitBytes
			}
			if err := errors.Join(p.alarm(p.id, full), p.alarm(p.id, nil)); err != nil {
				return err
			}
			a, err := p.onlyAlarm()
			missing := aws.ToString(a.TreatMissingData)
			return errors.Join(
				err, want("description", aws.ToString(a.AlarmDescription), ""), want("actions", len(a.AlarmActions), 0),
				want("missing", missing == "" || missing == "missing", true), want("actions enabled", aws.ToBool(a.ActionsEnabled), true),
				want("unit", a.Unit, ""),
			)
		},
	},
	{
		name: "alarm shows its warm-up", source: "CloudWatch API Reference, WarmUpConfiguration", grade: Modelled,
		check: func(p *party) error {
			err := p.alarm(p.id, func(in *cloudwatch.PutMetricAlarmInput) {
				in.WarmUpConfiguration = &types.WarmUpConfiguration{WarmUpPeriodDurationInMinutes: aws.Int32(60), OnlyStartEvaluatingAfterWarmUpPeriodEnds: aws.Bool(true)}
			})
			if err != nil {
				return err
			}
			a, err := p.onlyAlarm()
			return errors.Join(err, want("a warm-up", a.WarmUpConfiguration != nil, true))
		},
	},
	{
		name: "alarm actions are disabled and enabled", source: "CloudWatch API Reference, DisableAlarmActions and EnableAlarmActions", grade: Recorded, record: localstack + "2025-09-19",
		check: func(p *party) error {
			if err := p.alarm(p.id, nil); err != nil {
				return err
			}
			names := []string{p.id}
			if _, err := p.CloudWatch.DisableAlarmActions(p.ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: names}); err != nil {
				return err
			}
			off, err := p.onlyAlarm()
			if err != nil {
				return err
			}
			if _, err := p.CloudWatch.EnableAlarmActions(p.ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: names}); err != nil {
				return err
			}
			on, err := p.onlyAlarm()
			return errors.Join(err, want("disabled", aws.ToBool(off.ActionsEnabled), false), want("enabled", aws.ToBool(on.ActionsEnabled), true))
		},
	},
	{
		name: "alarm takes five actions for a state", source: putAlarm + ", AlarmActions", grade: Documented,
		check: func(p *party) error {
			err := p.alarm(p.id, func(in *cloudwatch.PutMetricAlarmInput) {
				for i := range mostActions + 1 {
					in.AlarmActions = append(in.AlarmActions, p.topicARN(fmt.Sprint("t", i)))
				}
			})
			return refused("six actions", err, "ValidationError", "ValidationException", "InvalidParameterValue", "InvalidParameterValueException")
		},
	},
	{
		name: "alarms come in pages", source: "CloudWatch API Reference, DescribeAlarms, MaxRecords", grade: Documented,
		check: func(p *party) error {
			if err := errors.Join(p.alarm(p.id+"-b", nil), p.alarm(p.id+"-a", nil), p.alarm(p.id+"-c", nil)); err != nil {
				return err
			}
			alarms, pages, err := p.alarms(aws.Int32(1))
			return errors.Join(err, want("alarms", len(alarms), 3), want("pages", pages >= 3, true))
		},
	},
	{
		name: "alarms by name are those that exist", source: "CloudWatch API Reference, DescribeAlarms, AlarmNames", grade: Documented,
		check: func(p *party) error {
			if err := p.alarm(p.id, nil); err != nil {
				return err
			}
			out, err := p.CloudWatch.DescribeAlarms(p.ctx, &cloudwatch.DescribeAlarmsInput{
				AlarmNames: []string{p.id, p.id + "-none"}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}, MaxRecords: aws.Int32(100),
			})
			if err != nil {
				return err
			}
			return want("alarms", len(out.MetricAlarms), 1)
		},
	},
	{
		name: "a call takes at most 100 alarm names", source: "CloudWatch API Reference, DescribeAlarms, AlarmNames", grade: Documented,
		check: func(p *party) error {
			names := make([]string, mostAlarms+1)
			for i := range names {
				names[i] = fmt.Sprint(p.id, i)
			}
			_, err := p.CloudWatch.DescribeAlarms(p.ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
			return refused("101 names", err, "ValidationError", "ValidationException", "InvalidParameterValue", "InvalidParameterValueException")
		},
	},
	{
		name: "alarms are deleted although one of them is unknown", source: "CloudWatch API Reference, DeleteAlarms", grade: Recorded, record: stackd + "2026-09-14",
		check: func(p *party) error {
			if err := p.alarm(p.id, nil); err != nil {
				return err
			}
			_, err := p.CloudWatch.DeleteAlarms(p.ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{p.id + "-none", p.id}})
			alarms, _, err2 := p.alarms(nil)
			return errors.Join(err, err2, want("alarms", len(alarms), 0))
		},
	},
}

var quietAlarmClauses = []clause{
	{
		name: "alarm shows since when it has been in its state", source: "CloudWatch API Reference, SetAlarmState and MetricAlarm", grade: Recorded, record: localstack + "2025-09-19",
		check: func(p *party) error {
			if err := p.alarm(p.id, nil); err != nil {
				return err
			}
			if _, err := p.CloudWatch.SetAlarmState(p.ctx, &cloudwatch.SetAlarmStateInput{
				AlarmName: aws.String(p.id), StateValue: types.StateValueAlarm, StateReason: aws.String("r"),
			}); err != nil {
				return err
			}
			a, err := p.onlyAlarm()
			return errors.Join(err, want("state", a.StateValue, "ALARM"), want("a time", a.StateTransitionedTimestamp != nil || a.StateUpdatedTimestamp != nil, true))
		},
	},
	{
		name: "alarm keeps the setting that sends its tags", source: putAlarm + ", ActionConfiguration", grade: Documented,
		check: func(p *party) error {
			err := p.alarm(p.id, func(in *cloudwatch.PutMetricAlarmInput) {
				in.ActionConfiguration = &types.ActionConfiguration{AlarmTagsPropagation: &types.AlarmTagsPropagation{Enabled: aws.Bool(true)}}
			})
			if err != nil {
				return err
			}
			a, err := p.onlyAlarm()
			return errors.Join(err, want("sends them", a.ActionConfiguration != nil && a.ActionConfiguration.AlarmTagsPropagation != nil, true))
		},
	},
	{
		name: "composite alarms are shown on request", source: "CloudWatch API Reference, DescribeAlarms, AlarmTypes; PutCompositeAlarm", grade: Modelled,
		check: func(p *party) error {
			if err := p.alarm(p.id, nil); err != nil {
				return err
			}
			name := p.id + "-composite"
			put := func(suppressor, period *string) error {
				in := &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String(name), AlarmRule: aws.String(`ALARM("` + p.id + `")`), ActionsSuppressor: suppressor}
				if period != nil {
					in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = aws.Int32(60), aws.Int32(60)
				}
				_, err := p.CloudWatch.PutCompositeAlarm(p.ctx, in)
				return err
			}
			find := func(asked ...types.AlarmType) (*cloudwatch.DescribeAlarmsOutput, error) {
				all := &cloudwatch.DescribeAlarmsOutput{}
				in := &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{p.id, name}, AlarmTypes: asked, MaxRecords: aws.Int32(100)}
				for pages := cloudwatch.NewDescribeAlarmsPaginator(p.CloudWatch, in); pages.HasMorePages(); {
					out, err := pages.NextPage(p.ctx)
					if err != nil {
						return nil, err
					}
					all.MetricAlarms, all.CompositeAlarms = append(all.MetricAlarms, out.MetricAlarms...), append(all.CompositeAlarms, out.CompositeAlarms...)
				}
				return all, nil
			}
			if err := put(aws.String(p.id), aws.String("60")); err != nil {
				return err
			}
			p.later(func() {
				_, _ = p.CloudWatch.DeleteAlarms(p.ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
			})
			usual, err := find()
			if err != nil {
				return err
			}
			both, err := find(types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm)
			if err != nil {
				return err
			}
			if len(both.CompositeAlarms) != 1 {
				return fmt.Errorf("%d composite alarms", len(both.CompositeAlarms))
			}
			c := both.CompositeAlarms[0]
			if err := put(nil, nil); err != nil {
				return err
			}
			bare, err := find(types.AlarmTypeCompositeAlarm)
			if err != nil || len(bare.CompositeAlarms) != 1 {
				return fmt.Errorf("%d composite alarms afterwards, %w", len(bare.CompositeAlarms), orNil(err))
			}
			return errors.Join(
				want("without asking", len(usual.CompositeAlarms), 0), want("metric alarms", len(both.MetricAlarms), 1),
				want("rule", aws.ToString(c.AlarmRule), `ALARM("`+p.id+`")`), want("suppressor", aws.ToString(c.ActionsSuppressor), p.id),
				want("suppressor afterwards", aws.ToString(bare.CompositeAlarms[0].ActionsSuppressor), ""),
			)
		},
	},
	{
		name: "mute rules are listed by alarm and status", source: "CloudWatch API Reference, PutAlarmMuteRule, ListAlarmMuteRules and DeleteAlarmMuteRule", grade: Assumed, belief: muteRulesByAlarm,
		check: func(p *party) error {
			if err := errors.Join(p.alarm(p.id, nil), p.alarm(p.id+"-other", nil)); err != nil {
				return err
			}
			if _, err := p.CloudWatch.PutAlarmMuteRule(p.ctx, &cloudwatch.PutAlarmMuteRuleInput{
				Name: aws.String(p.id), MuteTargets: &types.MuteTargets{AlarmNames: []string{p.id}},
				Rule: &types.Rule{Schedule: &types.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT1H")}},
			}); err != nil {
				return err
			}
			remove := func() error {
				_, err := p.CloudWatch.DeleteAlarmMuteRule(p.ctx, &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(p.id)})
				return err
			}
			p.later(func() { _ = remove() })
			list := func(alarm string, status types.AlarmMuteRuleStatus) ([]types.AlarmMuteRuleSummary, error) {
				out, err := p.CloudWatch.ListAlarmMuteRules(p.ctx, &cloudwatch.ListAlarmMuteRulesInput{
					AlarmName: aws.String(alarm), Statuses: []types.AlarmMuteRuleStatus{status},
				})
				if err != nil {
					return nil, err
				}
				return out.AlarmMuteRuleSummaries, nil
			}
			found, err := list(p.id, types.AlarmMuteRuleStatusActive)
			if err != nil || len(found) != 1 {
				return fmt.Errorf("%d rules, %w", len(found), orNil(err))
			}
			others, err1 := list(p.id+"-other", types.AlarmMuteRuleStatusActive)
			expired, err2 := list(p.id, types.AlarmMuteRuleStatusExpired)
			return errors.Join(
				err1, err2, want("ARN", aws.ToString(found[0].AlarmMuteRuleArn), p.arn("cloudwatch", "alarm-mute-rule:"+p.id)),
				want("kind", aws.ToString(found[0].MuteType), "RECURRING"), want("of another alarm", len(others), 0), want("expired", len(expired), 0),
				remove(), remove(), // idempotent
			)
		},
	},
	{
		name: "mute rule says which alarms it silences", source: "CloudWatch API Reference, GetAlarmMuteRule and MuteTargets", grade: Documented,
		check: func(p *party) error {
			if err := errors.Join(p.alarm(p.id, nil), p.alarm(p.id+"-other", nil)); err != nil {
				return err
			}
			get := func() (*cloudwatch.GetAlarmMuteRuleOutput, error) {
				return p.CloudWatch.GetAlarmMuteRule(p.ctx, &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(p.id)})
			}
			_, missing := get()
			if _, err := p.CloudWatch.PutAlarmMuteRule(p.ctx, &cloudwatch.PutAlarmMuteRuleInput{
				Name: aws.String(p.id), MuteTargets: &types.MuteTargets{AlarmNames: []string{p.id, p.id + "-other"}},
				Rule: &types.Rule{Schedule: &types.Schedule{Expression: aws.String("cron(* * * * *)"), Duration: aws.String("PT1H")}},
			}); err != nil {
				return err
			}
			p.later(func() {
				_, _ = p.CloudWatch.DeleteAlarmMuteRule(p.ctx, &cloudwatch.DeleteAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(p.id)})
			})
			rule, err := get()
			if err != nil {
				return err
			}
			return errors.Join(
				refused("one that does not exist", missing, "ResourceNotFoundException"), want("alarms", strings.Join(rule.MuteTargets.AlarmNames, " "), p.id+" "+p.id+"-other"),
				want("kind", aws.ToString(rule.MuteType), "RECURRING"),
			)
		},
	},
}

var topicClauses = []clause{
	{
		name: "topic counts its subscribers", source: "Amazon SNS API Reference, GetTopicAttributes and Subscribe", grade: Documented,
		check: func(p *party) error {
			made, err := p.SNS.CreateTopic(p.ctx, &sns.CreateTopicInput{Name: aws.String(p.id)})
			if err != nil {
				return err
			}
			p.later(func() { _, _ = p.SNS.DeleteTopic(p.ctx, &sns.DeleteTopicInput{TopicArn: made.TopicArn}) })
			_, err = p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("person@example.com")})
			if err != nil {
				return err
			}
			out, err := p.SNS.GetTopicAttributes(p.ctx, &sns.GetTopicAttributesInput{TopicArn: made.TopicArn})
			if err != nil {
				return err
			}
			return errors.Join(
				want("confirmed", out.Attributes["SubscriptionsConfirmed"], "0"), want("pending", out.Attributes["SubscriptionsPending"], "1"),
				want("a policy", strings.Contains(out.Attributes["Policy"], "Statement"), true),
			)
		},
	},
	{
		name: "topic is created once", source: "Amazon SNS API Reference, CreateTopic", grade: Recorded, record: localstack + "2025-10-13",
		check: func(p *party) error {
			var arns []string
			for range 2 {
				made, err := p.SNS.CreateTopic(p.ctx, &sns.CreateTopicInput{Name: aws.String(p.id)})
				if err != nil {
					return err
				}
				p.later(func() { _, _ = p.SNS.DeleteTopic(p.ctx, &sns.DeleteTopicInput{TopicArn: made.TopicArn}) })
				arns = append(arns, *made.TopicArn)
			}
			return want("ARNs", arns, []string{p.topicARN(p.id), p.topicARN(p.id)})
		},
	},
	{
		name: "topic that does not exist", source: "Amazon SNS API Reference, GetTopicAttributes and Publish", grade: Recorded, record: stackd + "2026-09-14",
		check: func(p *party) error {
			arn := aws.String(p.topicARN(p.id))
			_, attributes := p.SNS.GetTopicAttributes(p.ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
			_, publish := p.SNS.Publish(p.ctx, &sns.PublishInput{TopicArn: arn, Message: aws.String("m")})
			return errors.Join(
				refused("GetTopicAttributes", attributes, "NotFound", "NotFoundException"), refused("Publish", publish, "NotFound", "NotFoundException"),
			)
		},
	},
	{
		name: "trails are described", source: "CloudTrail API Reference, DescribeTrails", grade: Recorded, record: custodian + "2019-01-23",
		check: func(p *party) error {
			_, err := p.CloudTrail.DescribeTrails(p.ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
			return err
		},
	},
}
