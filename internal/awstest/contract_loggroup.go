package awstest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// group makes a log group.
func (p *party) group(name string, change func(*cloudwatchlogs.CreateLogGroupInput)) error {
	in := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(name)}
	if change != nil {
		change(in)
	}
	_, err := p.Logs.CreateLogGroup(p.ctx, in)
	if err == nil {
		p.later(func() {
			_, _ = p.Logs.DeleteLogGroup(p.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(name)})
		})
	}
	return err
}

// masking is a data protection policy.
const masking = `{"Name":"mask","Version":"2021-06-01","Statement":[` +
	`{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Audit":{"FindingsDestination":{}}}},` +
	`{"DataIdentifier":["arn:aws:dataprotection::aws:data-identifier/IpAddress"],"Operation":{"Deidentify":{"MaskConfig":{}}}}]}`

func (p *party) protect(identifier string, on bool) error {
	_, err := p.Logs.PutLogGroupDeletionProtection(p.ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
		LogGroupIdentifier: aws.String(identifier), DeletionProtectionEnabled: aws.Bool(on),
	})
	return err
}

// policy makes an account-wide policy with the clause's name.
func (p *party) policy(of types.PolicyType, document string, criteria *string) error {
	_, err := p.Logs.PutAccountPolicy(p.ctx, &cloudwatchlogs.PutAccountPolicyInput{
		PolicyName: aws.String(p.id), PolicyType: of, PolicyDocument: aws.String(document), SelectionCriteria: criteria,
	})
	if err == nil {
		p.later(func() {
			_, _ = p.Logs.DeleteAccountPolicy(p.ctx, &cloudwatchlogs.DeleteAccountPolicyInput{PolicyName: aws.String(p.id), PolicyType: of})
		})
	}
	return err
}

func (p *party) onlyGroup() (types.LogGroup, error) {
	groups, _, err := p.groups(p.id, nil)
	if err != nil || len(groups) != 1 {
		return types.LogGroup{}, fmt.Errorf("%d groups, %w", len(groups), orNil(err))
	}
	return groups[0], nil
}

// groups lists the log groups whose names begin with a prefix, in pages.
func (p *party) groups(prefix string, limit *int32) (all []types.LogGroup, pages int, err error) {
	in := &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(prefix), Limit: limit}
	return listed(p, cloudwatchlogs.NewDescribeLogGroupsPaginator(p.Logs, in), func(out *cloudwatchlogs.DescribeLogGroupsOutput) []types.LogGroup {
		return out.LogGroups
	})
}

// filter puts a metric filter on the log group with the clause's name.
func (p *party) filter(name string, change func(*cloudwatchlogs.PutMetricFilterInput)) error {
	in := &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String(p.id), FilterName: aws.String(name), FilterPattern: aws.String(`{ $.eventName = "X" }`),
		MetricTransformations: []types.MetricTransformation{{
			MetricName: aws.String("m"), MetricNamespace: aws.String("n"), MetricValue: aws.String("1"),
		}},
	}
	if change != nil {
		change(in)
	}
	_, err := p.Logs.PutMetricFilter(p.ctx, in)
	return err
}

func (p *party) filters(limit *int32) (all []types.MetricFilter, pages int, err error) {
	in := &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(p.id), Limit: limit}
	return listed(p, cloudwatchlogs.NewDescribeMetricFiltersPaginator(p.Logs, in), func(out *cloudwatchlogs.DescribeMetricFiltersOutput) []types.MetricFilter {
		return out.MetricFilters
	})
}

// badFilterClause is a clause about a filter that AWS refuses.
func badFilterClause(name, source string, change func(*cloudwatchlogs.PutMetricFilterInput)) clause {
	return clause{name: name, source: source, grade: Documented, check: func(p *party) error {
		if err := p.group(p.id, nil); err != nil {
			return err
		}
		return refused(name, p.filter("f", change), "InvalidParameterException", "ValidationException")
	}}
}

const metricFilterPage = "CloudWatch Logs API Reference, PutMetricFilter"

var logGroupClauses = []clause{
	{
		name: "log group exists once", source: "CloudWatch Logs API Reference, CreateLogGroup", grade: Recorded, record: localstack + "2026-02-03",
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			return refused("again", p.group(p.id, nil), "ResourceAlreadyExistsException")
		},
	},
	{
		name: "new log group has class STANDARD and keeps events for ever", source: "CloudWatch Logs API Reference, CreateLogGroup and LogGroup", grade: Recorded, record: localstack + "2026-02-03",
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			groups, _, err := p.groups(p.id, nil)
			if err != nil || len(groups) != 1 {
				return fmt.Errorf("%d groups, %w", len(groups), orNil(err))
			}
			return errors.Join(want("class", groups[0].LogGroupClass, "STANDARD"), want("retention", aws.ToInt32(groups[0].RetentionInDays), 0))
		},
	},
	{
		name: "log group keeps its class", source: "CloudWatch Logs API Reference, CreateLogGroup, logGroupClass", grade: Documented,
		check: func(p *party) error {
			infrequent := func(in *cloudwatchlogs.CreateLogGroupInput) { in.LogGroupClass = types.LogGroupClassInfrequentAccess }
			if err := p.group(p.id, infrequent); err != nil {
				return err
			}
			groups, _, err := p.groups(p.id, nil)
			if err != nil || len(groups) != 1 {
				return fmt.Errorf("%d groups, %w", len(groups), orNil(err))
			}
			return want("class", groups[0].LogGroupClass, "INFREQUENT_ACCESS")
		},
	},
	{
		name: "class INFREQUENT_ACCESS takes no metric filters", source: "CloudWatch Logs User Guide, Log classes", grade: Assumed, belief: "filter-in-infrequent-access-code",
		check: func(p *party) error {
			infrequent := func(in *cloudwatchlogs.CreateLogGroupInput) { in.LogGroupClass = types.LogGroupClassInfrequentAccess }
			if err := p.group(p.id, infrequent); err != nil {
				return err
			}
			return refused("filter", p.filter("f", nil), "InvalidOperationException", "InvalidParameterException", "ValidationException")
		},
	},
	{
		name: "log groups come sorted in pages", source: "CloudWatch Logs API Reference, DescribeLogGroups", grade: Documented,
		check: func(p *party) error {
			for _, suffix := range []string{"-b", "", "-a"} {
				if err := p.group(p.id+suffix, nil); err != nil {
					return err
				}
			}
			groups, pages, err := p.groups(p.id, aws.Int32(1))
			if err != nil {
				return err
			}
			var names []string
			for _, g := range groups {
				names = append(names, aws.ToString(g.LogGroupName))
			}
			return errors.Join(want("names", names, []string{p.id, p.id + "-a", p.id + "-b"}), want("pages", pages >= 3, true))
		},
	},
	{
		name: "retention takes certain numbers of days", source: "CloudWatch Logs API Reference, PutRetentionPolicy", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			put := func(group string, days int32) error {
				_, err := p.Logs.PutRetentionPolicy(p.ctx, &cloudwatchlogs.PutRetentionPolicyInput{
					LogGroupName: aws.String(group), RetentionInDays: aws.Int32(days),
				})
				return err
			}
			if err := put(p.id, 365); err != nil {
				return err
			}
			groups, _, err := p.groups(p.id, nil)
			if err != nil || len(groups) != 1 {
				return fmt.Errorf("%d groups, %w", len(groups), orNil(err))
			}
			return errors.Join(
				want("retention", aws.ToInt32(groups[0].RetentionInDays), 365),
				refused("366 days", put(p.id, 366), "InvalidParameterException"),
				refused("no group", put(p.id+"-none", 365), "ResourceNotFoundException"),
			)
		},
	},
	{
		name: "metric filter is described as it was put", source: metricFilterPage, grade: Recorded, record: localstack + "2026-02-05",
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			put := func(in *cloudwatchlogs.PutMetricFilterInput) {
				in.FieldSelectionCriteria = aws.String(`@aws.region = "x"`)
				in.MetricTransformations[0].DefaultValue = aws.Float64(0)
				in.MetricTransformations[0].Unit = types.StandardUnitCount
			}
			if err := p.filter("f", put); err != nil {
				return err
			}
			filters, _, err := p.filters(nil)
			if err != nil || len(filters) != 1 {
				return fmt.Errorf("%d filters, %w", len(filters), orNil(err))
			}
			f, m := filters[0], filters[0].MetricTransformations[0]
			return errors.Join(
				want("name", aws.ToString(f.FilterName), "f"), want("pattern", aws.ToString(f.FilterPattern), `{ $.eventName = "X" }`),
				want("criteria", aws.ToString(f.FieldSelectionCriteria), `@aws.region = "x"`),
				want("metric", aws.ToString(m.MetricNamespace)+"/"+aws.ToString(m.MetricName)+"/"+aws.ToString(m.MetricValue), "n/m/1"),
				want("default", m.DefaultValue != nil && *m.DefaultValue == 0, true), want("unit", m.Unit, "Count"),
			)
		},
	},
	{
		name: "metric filter is replaced as a whole", source: metricFilterPage, grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			dimensions := func(in *cloudwatchlogs.PutMetricFilterInput) {
				in.MetricTransformations[0].Dimensions = map[string]string{"d": "$.d"}
				in.FieldSelectionCriteria = aws.String(`@aws.region = "x"`)
			}
			if err := errors.Join(p.filter("f", dimensions), p.filter("f", nil)); err != nil {
				return err
			}
			filters, _, err := p.filters(nil)
			if err != nil || len(filters) != 1 {
				return fmt.Errorf("%d filters, %w", len(filters), orNil(err))
			}
			return errors.Join(
				want("dimensions", len(filters[0].MetricTransformations[0].Dimensions), 0),
				want("criteria", aws.ToString(filters[0].FieldSelectionCriteria), ""),
			)
		},
	},
	{
		name: "metric filters come in pages", source: "CloudWatch Logs API Reference, DescribeMetricFilters", grade: Documented,
		check: func(p *party) error {
			if err := errors.Join(p.group(p.id, nil), p.filter("b", nil), p.filter("a", nil)); err != nil {
				return err
			}
			filters, pages, err := p.filters(aws.Int32(1))
			return errors.Join(err, want("filters", len(filters), 2), want("pages", pages >= 2, true))
		},
	},
	{
		name: "filters of a log group that does not exist", source: "CloudWatch Logs API Reference, DescribeMetricFilters and PutMetricFilter", grade: Documented,
		check: func(p *party) error {
			_, _, err := p.filters(nil)
			return errors.Join(
				refused("describe", err, "ResourceNotFoundException"), refused("put", p.filter("f", nil), "ResourceNotFoundException"),
			)
		},
	},
	{
		name: "filter that does not exist cannot be deleted", source: "CloudWatch Logs API Reference, DeleteMetricFilter", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			_, err := p.Logs.DeleteMetricFilter(p.ctx, &cloudwatchlogs.DeleteMetricFilterInput{
				LogGroupName: aws.String(p.id), FilterName: aws.String("none"),
			})
			return refused("delete", err, "ResourceNotFoundException")
		},
	},
	{
		name: "deleting a log group deletes its filters", source: "CloudWatch Logs API Reference, DeleteLogGroup", grade: Documented,
		check: func(p *party) error {
			if err := errors.Join(p.group(p.id, nil), p.filter("f", nil)); err != nil {
				return err
			}
			if _, err := p.Logs.DeleteLogGroup(p.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(p.id)}); err != nil {
				return err
			}
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			filters, _, err := p.filters(nil)
			return errors.Join(err, want("filters", len(filters), 0))
		},
	},
	{
		name: "a log group takes at most 100 metric filters", source: metricFilterPage + ", LimitExceededException", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			for i := range FiltersPerGroup {
				if err := p.filter(fmt.Sprint("f", i), nil); err != nil {
					return err
				}
			}
			return errors.Join(refused("one more", p.filter("more", nil), "LimitExceededException"), p.filter("f0", nil))
		},
	},
	{
		name: "protected log group is not deleted", source: "CloudWatch Logs API Reference, PutLogGroupDeletionProtection and DeleteLogGroup", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, func(in *cloudwatchlogs.CreateLogGroupInput) { in.DeletionProtectionEnabled = aws.Bool(true) }); err != nil {
				return err
			}
			p.later(func() { _ = p.protect(p.id, false) })
			remove := func() error {
				_, err := p.Logs.DeleteLogGroup(p.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(p.id)})
				return err
			}
			g, err := p.onlyGroup()
			if err != nil {
				return err
			}
			err = errors.Join(want("protected", aws.ToBool(g.DeletionProtectionEnabled), true), refused("delete", remove(), "ValidationException"))
			arn := strings.TrimSuffix(aws.ToString(g.Arn), ":*")
			if off := p.protect(arn, false); off != nil {
				return errors.Join(err, off)
			}
			g, again := p.onlyGroup()
			return errors.Join(err, again, want("protected, once it is off", aws.ToBool(g.DeletionProtectionEnabled), false), remove())
		},
	},
	{
		name: "log group's tags are listed by its ARN", source: "CloudWatch Logs API Reference, ListTagsForResource and LogGroup", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, func(in *cloudwatchlogs.CreateLogGroupInput) { in.Tags = map[string]string{"a": "b"} }); err != nil {
				return err
			}
			g, err := p.onlyGroup()
			if err != nil {
				return err
			}
			arn := strings.TrimSuffix(aws.ToString(g.Arn), ":*")
			out, err := p.Logs.ListTagsForResource(p.ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(arn)})
			if err != nil {
				return err
			}
			_, none := p.Logs.ListTagsForResource(p.ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(arn + "-none")})
			return errors.Join(want("tags", out.Tags, map[string]string{"a": "b"}), refused("no group", none, "ResourceNotFoundException"))
		},
	},
	{
		name: "log group's tags come and go", source: "CloudWatch Logs API Reference, TagResource and UntagResource", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, func(in *cloudwatchlogs.CreateLogGroupInput) { in.Tags = map[string]string{"a": "b", "c": "d"} }); err != nil {
				return err
			}
			g, err := p.onlyGroup()
			if err != nil {
				return err
			}
			arn := aws.String(strings.TrimSuffix(aws.ToString(g.Arn), ":*"))
			_, untag := p.Logs.UntagResource(p.ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
			_, tag := p.Logs.TagResource(p.ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"c": "e", "f": "g"}})
			if err := errors.Join(untag, tag); err != nil {
				return err
			}
			out, err := p.Logs.ListTagsForResource(p.ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: arn})
			if err != nil {
				return err
			}
			return want("tags", out.Tags, map[string]string{"c": "e", "f": "g"})
		},
	},
	{
		name: "masking shows on the log group", source: "CloudWatch Logs API Reference, LogGroup, dataProtectionStatus", grade: Documented,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			before, err := p.onlyGroup()
			if err != nil {
				return err
			}
			if _, err := p.Logs.PutDataProtectionPolicy(p.ctx, &cloudwatchlogs.PutDataProtectionPolicyInput{
				LogGroupIdentifier: aws.String(p.id), PolicyDocument: aws.String(masking),
			}); err != nil {
				return err
			}
			on, err := p.onlyGroup()
			if err != nil {
				return err
			}
			if _, err := p.Logs.DeleteDataProtectionPolicy(p.ctx, &cloudwatchlogs.DeleteDataProtectionPolicyInput{LogGroupIdentifier: aws.String(p.id)}); err != nil {
				return err
			}
			off, err := p.onlyGroup()
			return errors.Join(
				err, want("before", before.DataProtectionStatus, ""), want("on", on.DataProtectionStatus, "ACTIVATED"),
				want("off, but for its past", off.DataProtectionStatus != types.DataProtectionStatusActivated, true),
			)
		},
	},
	{
		name: "account-wide masking shows on log groups", source: "CloudWatch Logs API Reference, LogGroup, inheritedProperties", grade: Modelled,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			if err := p.policy(types.PolicyTypeDataProtectionPolicy, masking, nil); err != nil {
				return err
			}
			g, err := p.onlyGroup()
			return errors.Join(err, want("inherited", g.InheritedProperties, []types.InheritedProperty{types.InheritedPropertyAccountDataProtection}))
		},
	},
	{
		name: "account-wide transformers are listed by type", source: "CloudWatch Logs API Reference, DescribeAccountPolicies", grade: Documented,
		check: func(p *party) error {
			criteria := aws.String(`LogGroupNamePrefix IN ["` + p.id + `"]`)
			if err := p.policy(types.PolicyTypeTransformerPolicy, `[{"parseJSON":{}}]`, criteria); err != nil {
				return err
			}
			var found []types.AccountPolicy
			in := &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: types.PolicyTypeTransformerPolicy}
			for { // the SDK has no paginator for it
				out, err := p.Logs.DescribeAccountPolicies(p.ctx, in)
				if err != nil {
					return err
				}
				for _, policy := range out.AccountPolicies {
					if aws.ToString(policy.PolicyName) == p.id {
						found = append(found, policy)
					}
				}
				if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
					break
				}
			}
			if len(found) != 1 {
				return fmt.Errorf("%d policies", len(found))
			}
			return want("criteria", aws.ToString(found[0].SelectionCriteria), *criteria)
		},
	},
	{
		name: "log group's own transformer is returned", source: "CloudWatch Logs API Reference, GetTransformer", grade: Assumed, belief: noTransformerFails,
		check: func(p *party) error {
			if err := p.group(p.id, nil); err != nil {
				return err
			}
			get := func() (int, error) {
				out, err := p.Logs.GetTransformer(p.ctx, &cloudwatchlogs.GetTransformerInput{LogGroupIdentifier: aws.String(p.id)})
				if err != nil {
					return 0, err
				}
				return len(out.TransformerConfig), nil
			}
			none, err := get()
			if err != nil {
				if bad := refused("none", err, "ResourceNotFoundException"); bad != nil {
					return bad
				}
			}
			if _, err := p.Logs.PutTransformer(p.ctx, &cloudwatchlogs.PutTransformerInput{
				LogGroupIdentifier: aws.String(p.id), TransformerConfig: []types.Processor{{ParseJSON: &types.ParseJSON{}}},
			}); err != nil {
				return err
			}
			one, err := get()
			if err != nil {
				return err
			}
			_, err = p.Logs.DeleteTransformer(p.ctx, &cloudwatchlogs.DeleteTransformerInput{LogGroupIdentifier: aws.String(p.id)})
			return errors.Join(err, want("processors before", none, 0), want("processors", one, 1))
		},
	},
	badFilterClause("filter with two transformations", metricFilterPage+", metricTransformations", func(in *cloudwatchlogs.PutMetricFilterInput) {
		in.MetricTransformations = append(in.MetricTransformations, in.MetricTransformations[0])
	}),
	badFilterClause("filter pattern that is too long", metricFilterPage+", filterPattern", func(in *cloudwatchlogs.PutMetricFilterInput) {
		in.FilterPattern = aws.String(strings.Repeat("x", patternLimit+1))
	}),
	badFilterClause("filter with dimensions and a default", "CloudWatch Logs User Guide, Creating metrics from log events using filters",
		func(in *cloudwatchlogs.PutMetricFilterInput) {
			in.MetricTransformations[0].Dimensions = map[string]string{"d": "$.d"}
			in.MetricTransformations[0].DefaultValue = aws.Float64(0)
		}),
	badFilterClause("filter on transformed logs without a transformer", metricFilterPage+", applyOnTransformedLogs",
		func(in *cloudwatchlogs.PutMetricFilterInput) { in.ApplyOnTransformedLogs = true }),
}
