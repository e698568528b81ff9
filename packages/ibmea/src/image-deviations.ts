/**
 * How unsure the image encoder is of entities that have an image, and of those whose image vector
 * was put in.
 */
import { type CaptionedFigure, histogram } from '@lab/report';
import { tf } from '@lab/tensor';
import type { AlignmentTask } from '@lab/alignment';
import type { IbmeaModel, Posteriors } from './model.js';

/** Mean posterior deviations of the images, one number per entity. */
export interface ImageDeviations {
  /** Of entities with an image. */
  readonly present: Float32Array;
  /** Of entities without one. */
  readonly filled: Float32Array;
}

/**
 * Mean posterior deviation of the image modality per entity, `(1 / d_v) sum_d |s_id|`, by whether
 * the entity has an image.
 *
 * @returns null without images, without a bottleneck on them, where every entity has one, and
 *   where missing ones are masked: then nothing is put in their place.
 */
export async function imageDeviations(
  task: Pick<AlignmentTask, 'data'>,
  model: Pick<IbmeaModel, 'imagePresent'>,
  posteriors: Posteriors,
): Promise<ImageDeviations | null> {
  const scale = posteriors.image?.scale ?? null;
  const { images, entityCount } = task.data;
  if (scale === null || images === null || model.imagePresent !== null) return null;
  if (images.entities.length === entityCount) return null;
  const means = tf.tidy(() => tf.mean(tf.abs(scale), 1)); // [N]
  const values = (await means.data()) as Float32Array;
  means.dispose();
  const owners = new Set(images.entities);
  return {
    present: values.filter((_, entity) => owners.has(entity)),
    filled: values.filter((_, entity) => !owners.has(entity)),
  };
}

/** Both distributions as one histogram; null without deviations. */
export function imageDeviationFigure(deviations: ImageDeviations | null): CaptionedFigure | null {
  if (deviations === null) return null;
  return {
    figure: histogram({
      title: 'Posterior deviation of images',
      x: { label: 'mean standard deviation' },
      series: [
        { name: 'entities with image', values: deviations.present },
        { name: 'without, vector put in', values: deviations.filled },
      ],
    }),
    caption:
      'Whether the image encoder is less certain of entities that have no image of their own.',
  };
}
