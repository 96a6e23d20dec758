import { describeContinuousQueries } from './watch-property.ts'

describeContinuousQueries(2000)
